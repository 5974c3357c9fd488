//! What a fixture says on standard output; the language is described in fixtures/common.h.

use std::collections::BTreeMap;

/// A line: the sort of fact and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub sort: String,
    pub values: BTreeMap<String, String>,
}

impl Fact {
    /// A value, which must be there.
    #[track_caller]
    pub fn get(&self, key: &str) -> &str {
        self.values
            .get(key)
            .unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }

    /// A number (decimal, or hex after 0x), which must be there.
    #[track_caller]
    pub fn number(&self, key: &str) -> i128 {
        let text = self.get(key);
        text.strip_prefix("0x")
            .map_or_else(|| text.parse(), |hex| i128::from_str_radix(hex, 16))
            .unwrap_or_else(|error| panic!("{key}={text}: {error}"))
    }
}

/// All facts, in the order of the output.
#[track_caller]
pub fn facts(output: &str) -> Vec<Fact> {
    output.lines().map(fact).collect()
}

#[track_caller]
fn fact(line: &str) -> Fact {
    let mut words = line.split(' ');
    let sort = words.next().unwrap_or_default().to_owned();
    let values = words
        .map(|word| {
            let (key, value) = word
                .split_once('=')
                .unwrap_or_else(|| panic!("not key=value: {line:?}"));
            (key.to_owned(), value.to_owned())
        })
        .collect();
    Fact { sort, values }
}

/// The keys whose values differ from run to run.
const VARIES: &[&str] = &["pid", "tid", "parent", "caller", "ret", "nspid", "address"];

/// The output with what differs from run to run taken out: the lines sorted, numbers of tasks gone.
/// That a call failed (`ret=-1`) stays.
pub fn normal(output: &str) -> Vec<String> {
    let mut lines: Vec<String> = output.lines().map(normal_line).collect();
    lines.sort_unstable();
    lines
}

fn normal_line(line: &str) -> String {
    line.split(' ')
        .map(|word| match word.split_once('=') {
            Some((key, value)) if VARIES.contains(&key) && value != "-1" => format!("{key}=*"),
            _ => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn numbers_of_tasks_are_taken_out_and_lines_sorted() {
    let output = "task pid=7 tid=8 name=b\ncall ret=-1 errno=22\ncall ret=9 errno=0\n";
    assert_eq!(
        normal(output),
        [
            "call ret=* errno=0",
            "call ret=-1 errno=22",
            "task pid=* tid=* name=b"
        ]
    );
}
