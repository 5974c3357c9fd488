//! Verdicts in words, JSON and JUnit XML: one row per format.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::mismatch::Mismatch;
use super::values::safe;
use super::verdict::{Checked, Outcome, Verdict};

/// How much of a program's own output the text shows, in lines.
const LAST_LINES: usize = 12;

/// Writes a verdict.
pub trait VerdictWriter {
    /// One check is done.
    ///
    /// # Errors
    /// What the destination says; the writer is not called again after one.
    fn checked(&mut self, done: &Checked) -> io::Result<()>;
    /// All are done.
    ///
    /// # Errors
    /// As [`VerdictWriter::checked`].
    fn finish(&mut self, verdict: &Verdict) -> io::Result<()>;
}

/// A format of verdicts.
pub struct Format {
    /// Its name, as `--format` takes it.
    pub name: &'static str,
    /// Makes the writer.
    pub make: fn(Box<dyn Write>) -> Box<dyn VerdictWriter>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Format")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Every format; the first is the default.
pub static FORMATS: &[Format] = &[
    Format {
        name: "text",
        make: |out| Box::new(Text { out }),
    },
    Format {
        name: "json",
        make: |out| Box::new(Json { out }),
    },
    Format {
        name: "junit",
        make: |out| Box::new(Junit { out }),
    },
];

/// The format of this name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The word of an outcome.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "ok",
        Outcome::Fails(_) => "failed",
        Outcome::Skipped(_) => "skipped",
        Outcome::Broken(_) => "error",
        Outcome::Blessed(_) => "blessed",
    }
}

struct Text {
    out: Box<dyn Write>,
}

fn indented(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for line in text.lines() {
        match line.is_empty() {
            true => writeln!(out)?,
            false => writeln!(out, "    {line}")?,
        }
    }
    Ok(())
}

/// What the program itself said, which often tells why.
fn program_output(out: &mut dyn Write, done: &Checked) -> io::Result<()> {
    for (name, bytes) in [
        ("standard output", &done.stdout),
        ("standard error", &done.stderr),
    ] {
        if !bytes.is_empty() {
            writeln!(out, "\n    --- {name} of the program")?;
            let text = String::from_utf8_lossy(bytes);
            let lines: Vec<&str> = text.lines().collect();
            let hidden = lines.len().saturating_sub(LAST_LINES);
            if hidden > 0 {
                writeln!(out, "    ({hidden} lines before)")?;
            }
            for line in lines.iter().skip(hidden) {
                writeln!(out, "    {}", safe(line))?;
            }
        }
    }
    Ok(())
}

impl VerdictWriter for Text {
    fn checked(&mut self, done: &Checked) -> io::Result<()> {
        let out = &mut *self.out;
        let (word, name) = (word(&done.outcome), safe(&done.name));
        let word = match &done.outcome {
            Outcome::Fails(_) | Outcome::Broken(_) => word.to_uppercase(),
            _ => word.to_owned(),
        };
        write!(out, "{word:<8} {name}  {}", human(done.took))?;
        match &done.outcome {
            Outcome::Holds => writeln!(out)?,
            Outcome::Blessed(true) => writeln!(out, "  written")?,
            Outcome::Blessed(false) => writeln!(out, "  unchanged")?,
            Outcome::Skipped(why) => writeln!(out, "  {}", safe(why))?,
            Outcome::Fails(mismatch) => {
                writeln!(out)?;
                indented(out, &mismatch.to_string())?;
                program_output(out, done)?;
                writeln!(out)?;
            }
            Outcome::Broken(why) => {
                writeln!(out)?;
                for line in why.lines() {
                    writeln!(out, "    {}", safe(line))?;
                }
                program_output(out, done)?;
                writeln!(out)?;
            }
        }
        out.flush()
    }

    fn finish(&mut self, verdict: &Verdict) -> io::Result<()> {
        let count = |wanted: &str| {
            let all = verdict.checks.iter();
            all.filter(|done| word(&done.outcome) == wanted).count()
        };
        let words = ["ok", "failed", "error", "skipped", "blessed"];
        let parts = words.into_iter().filter_map(|word| match count(word) {
            0 => None,
            n => Some(format!("{n} {word}")),
        });
        let parts: Vec<String> = parts.collect();
        if verdict.checks.len() > 1 {
            writeln!(
                self.out,
                "{} checks: {}",
                verdict.checks.len(),
                parts.join(", ")
            )?;
        }
        self.out.flush()
    }
}

fn human(took: Duration) -> String {
    match took.as_millis() {
        ms @ ..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

struct Json {
    out: Box<dyn Write>,
}

#[derive(Serialize)]
struct JsonVerdict<'a> {
    format: u32,
    verdict: &'static str,
    status: u8,
    checks: Vec<JsonCheck<'a>>,
}

#[derive(Serialize)]
struct JsonCheck<'a> {
    name: &'a str,
    outcome: &'static str,
    took_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<&'a Mismatch>,
    /// What the program wrote, where it was taken.
    #[serde(skip_serializing_if = "str::is_empty")]
    stdout: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    stderr: Cow<'a, str>,
}

impl VerdictWriter for Json {
    fn checked(&mut self, _: &Checked) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, verdict: &Verdict) -> io::Result<()> {
        let checks = verdict.checks.iter().map(|done| JsonCheck {
            name: &done.name,
            outcome: word(&done.outcome),
            took_ms: u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX),
            why: match &done.outcome {
                Outcome::Skipped(why) | Outcome::Broken(why) => Some(why),
                _ => None,
            },
            mismatch: match &done.outcome {
                Outcome::Fails(mismatch) => Some(mismatch),
                _ => None,
            },
            stdout: String::from_utf8_lossy(&done.stdout),
            stderr: String::from_utf8_lossy(&done.stderr),
        });
        let status = verdict.status();
        let document = JsonVerdict {
            format: 1,
            verdict: match status {
                0 => "ok",
                1 => "failed",
                _ => "error",
            },
            status,
            checks: checks.collect(),
        };
        serde_json::to_writer_pretty(&mut self.out, &document)?;
        writeln!(self.out)?;
        self.out.flush()
    }
}

struct Junit {
    out: Box<dyn Write>,
}

impl VerdictWriter for Junit {
    fn checked(&mut self, _: &Checked) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, verdict: &Verdict) -> io::Result<()> {
        let mut suite = TestSuite::new("clonespy check");
        for done in &verdict.checks {
            let mut status = match &done.outcome {
                Outcome::Holds | Outcome::Blessed(_) => TestCaseStatus::success(),
                Outcome::Skipped(_) => TestCaseStatus::skipped(),
                Outcome::Fails(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Outcome::Broken(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
            };
            match &done.outcome {
                Outcome::Fails(mismatch) => {
                    let keys = mismatch.problems.iter().map(|problem| problem.key.as_str());
                    let keys: Vec<&str> = keys.collect();
                    status.set_message(format!("not as expected: {}", keys.join(", ")));
                    status.set_type("expectation");
                    status.set_description(mismatch.to_string());
                }
                Outcome::Skipped(why) => {
                    status.set_message(why.as_str());
                }
                Outcome::Broken(why) => {
                    // An attribute's line ends are blanks to whoever reads it: the rest is content.
                    status.set_message(why.lines().next().unwrap_or_default());
                    status.set_type("broken");
                    status.set_description(why.as_str());
                }
                Outcome::Holds | Outcome::Blessed(_) => {}
            }
            let mut case = TestCase::new(done.name.as_str(), status);
            case.set_classname("clonespy");
            case.set_time(done.took);
            if !done.stdout.is_empty() {
                case.set_system_out_lossy(&done.stdout);
            }
            if !done.stderr.is_empty() {
                case.set_system_err_lossy(&done.stderr);
            }
            suite.add_test_case(case);
        }
        let mut report = Report::new("clonespy check");
        report.add_test_suite(suite);
        report.serialize(&mut self.out).map_err(io::Error::other)?;
        self.out.flush()
    }
}
