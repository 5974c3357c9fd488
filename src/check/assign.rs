//! Which call stands for which row: order does not matter, and a call may fit several rows, so this
//! is a flow from classes of calls (those that fit the same rows) to rows, each with its count.
//!
//! Indices of classes, rows and calls are made here and are always in range: one that is not is a
//! mistake in this file, and panics.

use std::collections::{BTreeMap, VecDeque};

use pathfinding::directed::edmonds_karp::{DenseCapacity, EdmondsKarp};

use super::values::Range;

/// Calls that fit the same rows.
struct Class {
    rows: Vec<usize>,
    calls: Vec<usize>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    /// How many calls each row has; what is below its range is missing.
    pub counts: Vec<u64>,
    /// Calls that fit rows which are all full, with one of those rows.
    pub excess: Vec<(usize, usize)>,
    /// Calls that fit no row.
    pub strangers: Vec<usize>,
}

/// How many, as flows count; no trace has as many.
fn size<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

/// Gives every call a row. `fits[call]`: the rows that it fits.
pub(super) fn assign(fits: Vec<Vec<usize>>, rows: &[Range]) -> Assigned {
    // More than every call is no bound.
    let all = u64::try_from(fits.len()).unwrap_or(u64::MAX);
    let bound = |count: u64| i64::try_from(count.min(all)).unwrap_or(i64::MAX);
    let mut classes: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (call, rows) in fits.into_iter().enumerate() {
        classes.entry(rows).or_default().push(call);
    }
    let strangers = classes.remove(&Vec::new()).unwrap_or_default();
    let classes = classes.into_iter();
    let classes: Vec<Class> = classes.map(|(rows, calls)| Class { rows, calls }).collect();

    // The vertices: classes, rows, and the two ends.
    let row_at = |row: usize| classes.len() + row;
    let source = row_at(rows.len());
    let sink = source + 1;
    let mut net = <DenseCapacity<i64> as EdmondsKarp<i64>>::new(sink + 1, source, sink);
    for (index, class) in classes.iter().enumerate() {
        net.set_capacity(source, index, size(&class.calls));
        for &row in &class.rows {
            net.set_capacity(index, row_at(row), size(&class.calls));
        }
    }
    // First the least that each row wants; more flow never takes that away again.
    for (row, range) in rows.iter().enumerate() {
        net.set_capacity(row_at(row), sink, bound(range.min));
    }
    net.augment();
    for (row, range) in rows.iter().enumerate() {
        let most = range.max.unwrap_or(u64::MAX).max(range.min);
        net.set_capacity(row_at(row), sink, bound(most));
    }
    let (flows, ..) = net.augment();
    let flows: BTreeMap<(usize, usize), i64> = flows.into_iter().collect();
    let flow = |from: usize, to: usize| flows.get(&(from, to)).copied().unwrap_or_default();

    let mut excess = Vec::new();
    for (index, class) in classes.iter().enumerate() {
        let placed = usize::try_from(flow(source, index)).unwrap_or_default();
        // Calls without a row are strangers, and in no class.
        let full = class.rows[0];
        excess.extend(class.calls[placed..].iter().map(|&call| (call, full)));
    }
    excess.sort_unstable();
    let count = |row: usize| u64::try_from(flow(row_at(row), sink)).unwrap_or_default();
    Assigned {
        counts: (0..rows.len()).map(count).collect(),
        excess,
        strangers,
    }
}

/// With `ordered`: whether the calls can be cut into as many runs as there are rows, each run
/// fitting its row. `Err`: how far it went, as (row, call).
pub(super) fn in_order(fits: &[Vec<usize>], rows: &[Range]) -> Result<(), (usize, usize)> {
    let length = fits.len();
    // Where a row can begin.
    let mut starts = vec![false; length + 1];
    starts[0] = true;
    let mut furthest = (0, 0);
    for (row, range) in rows.iter().enumerate() {
        let mut next = vec![false; length + 1];
        // From a start, all ends between the least and the most that are still in the run are
        // reached. `open`: the starts of the run that is being read.
        let mut open: VecDeque<usize> = VecDeque::new();
        let mut live: VecDeque<usize> = VecDeque::new();
        for at in 0..=length {
            if starts[at] {
                open.push_back(at);
            }
            let far = |start: usize| u64::try_from(at - start).unwrap_or(u64::MAX);
            while open.front().is_some_and(|&start| far(start) >= range.min) {
                live.extend(open.pop_front());
            }
            while live
                .front()
                .is_some_and(|&start| range.max.is_some_and(|max| far(start) > max))
            {
                live.pop_front();
            }
            next[at] = !live.is_empty();
            let reached = starts[at] || !open.is_empty() || !live.is_empty();
            if reached && at >= furthest.1 {
                furthest = (row, at);
            }
            if !fits.get(at).is_some_and(|rows| rows.contains(&row)) {
                open.clear();
                live.clear();
            }
        }
        starts = next;
    }
    match starts[length] {
        true => Ok(()),
        false => Err(furthest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_fit_several_rows_go_where_they_are_needed() {
        // Row 0 takes anything, row 1 wants what only call 0 fits.
        let rows = [Range::exactly(2), Range::exactly(1)];
        let done = assign(vec![vec![0, 1], vec![0], vec![0]], &rows);
        assert_eq!(done.counts, [2, 1]);
        assert!(done.excess.is_empty() && done.strangers.is_empty());
    }

    #[test]
    fn what_is_too_much_and_what_fits_nothing_is_told_apart() {
        let rows = [Range::exactly(1), Range { min: 2, max: None }];
        let done = assign(vec![vec![0], vec![], vec![0], vec![1]], &rows);
        assert_eq!(done.counts, [1, 1]);
        assert_eq!(done.excess, [(2, 0)]);
        assert_eq!(done.strangers, [1]);
    }

    #[test]
    fn a_flow_exists_whenever_any_assignment_does() {
        // All ways to fit 4 calls to 3 rows, against trying every assignment.
        let rows = [
            Range::exactly(1),
            Range {
                min: 1,
                max: Some(2),
            },
            Range {
                min: 0,
                max: Some(1),
            },
        ];
        let subsets: Vec<Vec<usize>> = (0..8_usize)
            .map(|bits| (0..3).filter(|row| bits >> row & 1 == 1).collect())
            .collect();
        for code in 0..8_usize.pow(4) {
            let fits: Vec<Vec<usize>> = (0..4)
                .map(|call| subsets[code / 8_usize.pow(call) % 8].clone())
                .collect();
            let possible = (0..3_usize.pow(4)).any(|way| {
                let mut counts = [0; 3];
                for (call, rows) in fits.iter().enumerate() {
                    let row = way / 3_usize.pow(u32::try_from(call).unwrap()) % 3;
                    if !rows.contains(&row) {
                        return false;
                    }
                    counts[row] += 1;
                }
                rows.iter().zip(counts).all(|(range, n)| range.contains(n))
            });
            let done = assign(fits.clone(), &rows);
            let good = done.excess.is_empty()
                && done.strangers.is_empty()
                && rows
                    .iter()
                    .zip(&done.counts)
                    .all(|(range, &n)| range.contains(n));
            assert_eq!(good, possible, "{fits:?}: {done:?}");
            let placed: u64 = done.counts.iter().sum();
            let others = done.excess.len() + done.strangers.len();
            assert_eq!(
                placed + others as u64,
                4,
                "every call is somewhere: {done:?}"
            );
        }
    }

    #[test]
    fn order_is_a_cut_into_runs() {
        let rows = [Range::SOME, Range::exactly(1), Range::SOME];
        let (a, b, both) = (vec![0, 2], vec![1], vec![0, 1, 2]);
        assert_eq!(in_order(&[a.clone(), b.clone(), a.clone()], &rows), Ok(()));
        assert_eq!(
            in_order(&[both.clone(), both.clone(), both.clone()], &rows),
            Ok(())
        );
        assert_eq!(
            in_order(&[a.clone(), a.clone(), b.clone(), a.clone()], &rows),
            Ok(())
        );
        // The second b has no row, and is where it stops.
        assert_eq!(
            in_order(&[a.clone(), b.clone(), b.clone()], &rows),
            Err((2, 2))
        );
        assert_eq!(in_order(std::slice::from_ref(&a), &rows), Err((1, 1)));
        assert_eq!(in_order(&[], &rows), Err((0, 0)));
    }
}
