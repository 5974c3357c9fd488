//! Times on lines: wall clock, time since the line before, time in the call.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::look::{Clock, Look, Stamps};
use crate::layout::columns;

/// Beside times that leave less than this a line is no line any more: they get one of their own.
const ROOM: usize = 30;

/// Writes the times before lines.
pub(super) struct Stamper {
    stamps: Stamps,
    zone: TimeZone,
    start: Option<Timestamp>,
    last_ns: Option<u64>,
    /// The times stand above the lines.
    above: bool,
}

impl Stamper {
    pub(super) fn new(look: &Look) -> Self {
        let mut one = Stamper {
            stamps: look.stamps,
            zone: look.zone.clone(),
            start: None,
            last_ns: None,
            above: false,
        };
        one.above = look.style.cut && one.takes() > 0 && look.style.width < one.takes() + ROOM;
        one
    }

    /// The trace's beginning, in RFC 3339.
    pub(super) fn begin(&mut self, wall: &str) {
        self.start = wall.parse().ok();
    }

    /// Columns that the times take before the lines.
    pub(super) fn width(&self) -> usize {
        if self.above { 0 } else { self.takes() }
    }

    fn takes(&self) -> usize {
        let clock = match self.stamps.clock {
            None => 0,
            Some(Clock::Seconds) => 9,
            Some(Clock::Micros) => 16,
            Some(Clock::Epoch) => 18,
        };
        clock + if self.stamps.relative { 13 } else { 0 }
    }

    /// What stands before a line, with the space after it; empty where nothing was asked for.
    pub(super) fn before(&mut self, at_ns: u64) -> String {
        let mut out = String::new();
        if let Some(clock) = self.stamps.clock {
            let text = self.wall(clock, at_ns);
            out.push_str(&text);
            out.push(' ');
        }
        if self.stamps.relative {
            // A call's line carries the time of its entry, which may lie before the line above.
            let since = at_ns.saturating_sub(self.last_ns.unwrap_or(at_ns));
            let (seconds, micros) = (since / 1_000_000_000, since / 1000 % 1_000_000);
            out.push_str(&format!("{seconds:>5}.{micros:06} "));
            self.last_ns = Some(at_ns.max(self.last_ns.unwrap_or_default()));
        }
        out
    }

    fn wall(&self, clock: Clock, at_ns: u64) -> String {
        let since = SignedDuration::from_nanos(i64::try_from(at_ns).unwrap_or(i64::MAX));
        let now = self.start.and_then(|start| start.checked_add(since).ok());
        match (now, clock) {
            // A trace without a time of its own.
            (None, _) => "-".repeat(self.takes().saturating_sub(1).min(8)),
            (Some(now), Clock::Epoch) => {
                format!("{}.{:06}", now.as_second(), now.subsec_microsecond())
            }
            (Some(now), _) => {
                let local = now.to_zoned(self.zone.clone());
                let mut text = format!(
                    "{:02}:{:02}:{:02}",
                    local.hour(),
                    local.minute(),
                    local.second()
                );
                if clock == Clock::Micros {
                    text.push_str(&format!(".{:06}", now.subsec_microsecond()));
                }
                text
            }
        }
    }

    /// Puts the time before the first of several lines, and as much space before the others.
    pub(super) fn stamp(&mut self, at_ns: u64, text: String) -> String {
        if text.is_empty() || self.takes() == 0 {
            return text;
        }
        let first = self.before(at_ns);
        if self.above {
            return format!("{}\n{text}", first.trim_end());
        }
        let space = " ".repeat(columns(&first));
        let mut out = String::with_capacity(text.len() + first.len());
        for (at, line) in text.lines().enumerate() {
            out.push_str(if at == 0 { &first } else { &space });
            out.push_str(line);
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamper(stamps: Stamps, zone: TimeZone) -> Stamper {
        let look = Look {
            stamps,
            zone,
            ..Look::default()
        };
        let mut stamper = Stamper::new(&look);
        stamper.begin("2026-11-21T16:00:00.9999995Z");
        stamper
    }

    #[test]
    fn clocks_in_three_spellings_and_a_zone() {
        let east = TimeZone::fixed(jiff::tz::offset(8));
        let cases = [
            (Clock::Seconds, TimeZone::UTC, "16:00:01 x\n"),
            (Clock::Seconds, east, "00:00:01 x\n"),
            (Clock::Micros, TimeZone::UTC, "16:00:01.000000 x\n"),
            (Clock::Epoch, TimeZone::UTC, "1795276801.000000 x\n"),
        ];
        for (clock, zone, text) in cases {
            let stamps = Stamps {
                clock: Some(clock),
                ..Stamps::default()
            };
            let mut one = stamper(stamps, zone);
            assert_eq!(one.stamp(600, "x\n".into()), text);
            assert_eq!(one.width() + 2, text.len());
        }
    }

    #[test]
    fn relative_times_go_on_from_the_line_before_and_never_back() {
        let stamps = Stamps {
            relative: true,
            ..Stamps::default()
        };
        let mut one = stamper(stamps, TimeZone::UTC);
        assert_eq!(one.before(5_000), "    0.000000 ");
        assert_eq!(one.before(2_000_005_000), "    2.000000 ");
        assert_eq!(one.before(1_000_000_000), "    0.000000 ");
        assert_eq!(
            one.stamp(2_000_006_000, "a\nb\n".into()),
            "    0.000001 a\n             b\n"
        );
    }

    #[test]
    fn times_that_leave_no_room_stand_above_the_lines() {
        let stamps = Stamps {
            clock: Some(Clock::Micros),
            ..Stamps::default()
        };
        let mut look = Look {
            stamps,
            zone: TimeZone::UTC,
            ..Look::default()
        };
        look.style.width = 40;
        let mut narrow = Stamper::new(&look);
        narrow.begin("2026-11-21T16:00:00Z");
        assert_eq!(narrow.width(), 0);
        assert_eq!(narrow.stamp(0, "a\nb\n".into()), "16:00:00.000000\na\nb\n");
        // Nothing is narrow where lines are not cut.
        look.style.cut = false;
        assert_eq!(Stamper::new(&look).width(), 16);
    }

    #[test]
    fn a_trace_without_a_readable_time_still_has_its_columns() {
        let mut one = Stamper::new(&Look {
            stamps: Stamps {
                clock: Some(Clock::Seconds),
                ..Stamps::default()
            },
            ..Look::default()
        });
        one.begin("yesterday");
        assert_eq!(one.before(u64::MAX), "-------- ");
    }
}
