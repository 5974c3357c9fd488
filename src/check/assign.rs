//! Which call stands for which row: order does not matter, and a call may fit several rows, so this
//! is a flow from classes of calls (those that fit the same rows) to rows, each with its count.
//!
//! Indices of classes, rows and calls are made here and are always in range: one that is not is a
//! mistake in this file, and panics.

use std::collections::{BTreeMap, VecDeque};

use super::values::Range;

/// Calls that fit the same rows.
#[derive(Debug)]
struct Class {
    rows: Vec<usize>,
    calls: Vec<usize>,
    /// How many of its calls each of `rows` has.
    given: Vec<u64>,
}

impl Class {
    fn free(&self) -> u64 {
        size(&self.calls) - self.given.iter().sum::<u64>()
    }
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

fn size<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// Gives every call a row. `fits[call]`: the rows that it fits.
pub(super) fn assign(fits: Vec<Vec<usize>>, rows: &[Range]) -> Assigned {
    let mut classes: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (call, rows) in fits.into_iter().enumerate() {
        classes.entry(rows).or_default().push(call);
    }
    let strangers = classes.remove(&Vec::new()).unwrap_or_default();
    let mut classes: Vec<Class> = classes
        .into_iter()
        .map(|(rows, calls)| Class {
            given: vec![0; rows.len()],
            rows,
            calls,
        })
        .collect();
    let mut counts = vec![0; rows.len()];
    // First the least that each row wants; more flow never takes that away again.
    let least: Vec<u64> = rows.iter().map(|range| range.min).collect();
    while augment(&mut classes, &mut counts, &least) {}
    let most = rows.iter().map(|range| range.max.unwrap_or(u64::MAX));
    let most: Vec<u64> = most.collect();
    while augment(&mut classes, &mut counts, &most) {}
    let mut excess = Vec::new();
    for class in &classes {
        // Calls without a row are strangers, and in no class.
        let row = class.rows[0];
        let free = usize::try_from(class.free()).unwrap_or(usize::MAX);
        let late = class.calls.len().saturating_sub(free);
        let calls = class.calls.iter().skip(late);
        excess.extend(calls.map(|&call| (call, row)));
    }
    excess.sort_unstable();
    Assigned {
        counts,
        excess,
        strangers,
    }
}

/// Where a path came from.
#[derive(Clone, Copy)]
enum From {
    Start,
    Row(usize),
}

/// One more flow along a shortest path from a class with free calls to a row with room, moving
/// calls between rows on the way. `false`: there is none.
fn augment(classes: &mut [Class], counts: &mut [u64], room: &[u64]) -> bool {
    // For each class, the row from which it was reached; for each row, the class.
    let mut class_from: Vec<Option<From>> = vec![None; classes.len()];
    let mut row_from: Vec<Option<usize>> = vec![None; counts.len()];
    let mut queue: VecDeque<usize> = VecDeque::new();
    for (index, class) in classes.iter().enumerate() {
        if class.free() > 0 {
            class_from[index] = Some(From::Start);
            queue.push_back(index);
        }
    }
    let mut goal = None;
    'search: while let Some(index) = queue.pop_front() {
        for &row in &classes[index].rows {
            if row_from[row].is_some() {
                continue;
            }
            row_from[row] = Some(index);
            if counts[row] < room[row] {
                goal = Some(row);
                break 'search;
            }
            // The row is full: another class may take some of its calls elsewhere.
            for (other, class) in classes.iter().enumerate() {
                let gives = class
                    .rows
                    .iter()
                    .zip(&class.given)
                    .any(|(&has, &given)| has == row && given > 0);
                if gives && class_from[other].is_none() {
                    class_from[other] = Some(From::Row(row));
                    queue.push_back(other);
                }
            }
        }
    }
    let Some(goal) = goal else {
        return false;
    };
    let path = path(goal, &class_from, &row_from);
    let amount = bottleneck(&path, classes, counts, room);
    for step in &path {
        push(classes, step, amount);
    }
    counts[goal] += amount;
    amount > 0
}

/// A class gives to a row, and takes as much from the row before.
struct Step {
    class: usize,
    to: usize,
    from: Option<usize>,
}

/// The steps of a path, the last one first.
fn path(goal: usize, class_from: &[Option<From>], row_from: &[Option<usize>]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut to = goal;
    while let Some(class) = row_from[to] {
        let from = match class_from[class] {
            Some(From::Row(row)) => Some(row),
            Some(From::Start) | None => None,
        };
        steps.push(Step { class, to, from });
        match from {
            Some(row) => to = row,
            None => break,
        }
    }
    steps
}

fn given(class: &Class, row: usize) -> u64 {
    let mut pairs = class.rows.iter().zip(&class.given);
    pairs.find(|(has, _)| **has == row).map_or(0, |(_, n)| *n)
}

fn bottleneck(path: &[Step], classes: &[Class], counts: &[u64], room: &[u64]) -> u64 {
    let goal = path[0].to;
    let mut amount = room[goal] - counts[goal];
    for step in path {
        let class = &classes[step.class];
        amount = amount.min(match step.from {
            Some(row) => given(class, row),
            None => class.free(),
        });
    }
    amount
}

fn push(classes: &mut [Class], step: &Step, amount: u64) {
    let class = &mut classes[step.class];
    for (row, given) in class.rows.iter().zip(&mut class.given) {
        if *row == step.to {
            *given += amount;
        }
        if Some(*row) == step.from {
            *given -= amount;
        }
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
            let told = done.counts.iter().sum::<u64>() + size(&done.excess) + size(&done.strangers);
            assert_eq!(told, 4, "every call is somewhere: {done:?}");
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
