//! Random calls, made to the running kernel: the tables must foretell each answer.
//!
//! The seed is fixed, so that a failure comes again; `CLONESPY_SEED` and `CLONESPY_CALLS` set others.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::*;
use super::machine::{self, CAP_SETUID, CAP_SYS_ADMIN, NOBODY};
use super::refusals;
use crate::abi::errno;
use crate::abi::flags::*;
use crate::abi::rules::rule::all_of;
use crate::event::Call;

mod cases;

use cases::{BLOCK, Caller, Case, PAGE, Random, TIDS, WORDS};

/// Which rule about wanted tids holds, for a caller whose namespaces all have an init.
fn wanted(arguments: &Arguments, caller: &Caller) -> Option<&'static str> {
    let Tids::Read(tids) = &arguments.tids else {
        return None;
    };
    let has = |flag| all_of(arguments, flag);
    let new = has(CLONE_NEWPID);
    if arguments.set_tid_size > caller.levels + u64::from(new) {
        return Some("set-tid-deeper-than-namespaces");
    }
    tids.iter().enumerate().find_map(|(depth, &tid)| {
        let inside = new && depth == 0;
        // Over a namespace that the new user namespace owns everybody has the right.
        let allowed = caller.admin || (inside && has(CLONE_NEWUSER));
        match tid {
            ..=0 => Some("tid-below-one"),
            i32::MAX => Some("tid-above-pid-max"),
            _ if inside && tid != 1 => Some("first-tid-must-be-one"),
            _ if !allowed => Some("set-tid-needs-capability"),
            // All that is asked for is pid 1, which every namespace but a new one has.
            _ if !inside => Some("tid-in-use"),
            _ => None,
        }
    })
}

/// What is known about rules that arguments do not decide: the calls are made in a place without
/// limits, by a process that nothing is pending for.
fn known(rule: &Rule, arguments: &Arguments, caller: &Caller) -> bool {
    match rule.id {
        "namespace-needs-admin" => !caller.admin,
        "pidfd-address" => {
            let address = arguments.pidfd_address();
            !(WORDS..=WORDS + PAGE - 4).contains(&address)
        }
        "cgroup-not-a-cgroup" => true,
        "userns-switched-off" => {
            !caller.admin
                && machine::text("/proc/sys/kernel/unprivileged_userns_clone").as_deref()
                    == Some("0")
        }
        id => wanted(arguments, caller) == Some(id),
    }
}

struct Hits(BTreeMap<&'static str, (usize, usize)>);

/// Makes calls as this caller, and counts how often each rule was right.
fn campaign(
    program: &machine::Built,
    kernel: &Kernel,
    caller: &Caller,
    user: &str,
    hits: &mut Hits,
) {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let seed = number("CLONESPY_SEED", 20_250_607).max(1);
    let mut random = Random(seed);
    let cases: Vec<Case> = (0..number("CLONESPY_CALLS", 4000))
        .map(|_| match random.below(32) {
            0 => Case {
                arguments: Arguments::new(Call::Fork),
                line: "fork".to_owned(),
            },
            1 => Case {
                arguments: Arguments::new(Call::Vfork),
                line: "vfork".to_owned(),
            },
            2..14 => cases::clone(&mut random, caller),
            _ => cases::clone3(&mut random, caller),
        })
        .collect();
    let input: String = cases
        .iter()
        .map(|case| format!("{}\n", case.line))
        .collect();
    let args: Vec<&str> = if user.is_empty() {
        Vec::new()
    } else {
        vec![user]
    };
    let output = machine::run(&program.program, &args, input.into_bytes());
    let answers: Vec<&str> = output.lines().collect();
    assert_eq!(answers.len(), cases.len(), "an answer to each call");
    let mut wrong = String::new();
    for (case, answer) in cases.iter().zip(answers) {
        let rule = judge_with(&case.arguments, kernel, |rule| {
            Some(known(rule, &case.arguments, caller))
        });
        let name = answer.parse().ok().and_then(errno::name);
        let right = match rule {
            Some(rule) => name.is_some_and(|name| rule.errno() == Some(name)),
            None => answer == "created",
        };
        let row = hits
            .0
            .entry(rule.map_or("(accepted)", |rule| rule.id))
            .or_default();
        if right {
            row.0 += 1;
        } else {
            row.1 += 1;
            writeln!(
                wrong,
                "{}: {} foretold, the kernel says {} ({answer})\n  {:?}\n  {}",
                case.arguments.flags(),
                rule.map_or("created".to_owned(), |r| format!("{} {:?}", r.id, r.errnos)),
                name.unwrap_or(answer),
                case.arguments,
                case.line.get(..400).unwrap_or(&case.line),
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "seed {seed}, user {user:?}\n{wrong}");
}

/// How many pid namespaces number a child: as many wanted tids as there are namespaces find pid 1
/// taken (or are not permitted), and one more is refused for its number.
fn levels(program: &machine::Built) -> u64 {
    let lines: String = (1..=32u64)
        .map(|count| {
            let words = [0, 0, 0, 0, 17, 0, 0, 0, TIDS, count, 0];
            let hex: String = words
                .iter()
                .flat_map(|w: &u64| w.to_le_bytes())
                .map(|b| format!("{b:02x}"))
                .collect();
            let ones = vec!["1"; usize::try_from(count).unwrap()].join(",");
            format!("clone3 {BLOCK:x} 58 {hex} {ones}\n")
        })
        .collect();
    let output = machine::run(&program.program, &[], lines.into_bytes());
    output.lines().take_while(|answer| *answer != "22").count() as u64
}

#[test]
fn the_kernel_answers_as_the_tables_foretell() {
    let (Some(kernel), Some(program)) = (machine::kernel(), machine::compile("random_clone"))
    else {
        return;
    };
    let admin = machine::capable(CAP_SYS_ADMIN);
    let mut caller = Caller {
        admin,
        levels: levels(&program),
        without: CloneFlags(0),
        wide: machine::wide_addresses(kernel.version),
    };
    let no_user_namespaces =
        machine::text("/proc/sys/user/max_user_namespaces").as_deref() == Some("0");
    if no_user_namespaces {
        caller.without = CLONE_NEWUSER;
    }
    let mut hits = Hits(BTreeMap::new());
    campaign(&program, &kernel, &caller, "", &mut hits);
    if admin && machine::capable(CAP_SETUID) {
        caller.admin = false;
        // Ubuntu's AppArmor lets ordinary users make user namespaces, but without rights in them.
        let restricted = machine::text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
        if restricted.as_deref() == Some("1") {
            caller.without = CLONE_NEWUSER;
        }
        campaign(&program, &kernel, &caller, &NOBODY.to_string(), &mut hits);
    } else {
        eprintln!("not tested: what root is told, and needs root to become another user");
    }
    let mut unproven = Vec::new();
    for rule in all() {
        match hits.0.get(rule.id) {
            Some((right, _)) => println!("{right:6}  {}", rule.id),
            None => unproven.push(rule),
        }
    }
    println!(
        "{:6}  (accepted)",
        hits.0.get("(accepted)").map_or(0, |row| row.0)
    );
    let (scenes, rest): (Vec<&Rule>, Vec<&Rule>) = unproven
        .iter()
        .partition(|rule| refusals::provokes(rule.id));
    let names = |rules: &[&Rule]| -> String {
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
        ids.join(" ")
    };
    println!("provoked by a scene instead: {}", names(&scenes));
    println!("unproven here: {}", names(&rest));
    // With the fixed seed every rule that the arguments decide on this kernel is met.
    let missed: Vec<&str> = unproven
        .iter()
        .filter(|rule| rule.decided == Decided::Arguments && rule.on(kernel.version))
        // Who may make no user namespace is refused earlier.
        .filter(|rule| admin || rule.id != "newipc-with-sysvsem")
        .map(|rule| rule.id)
        .collect();
    let default = ["CLONESPY_SEED", "CLONESPY_CALLS"]
        .iter()
        .all(|name| std::env::var_os(name).is_none());
    if default {
        assert_eq!(
            missed,
            Vec::<&str>::new(),
            "rules of this kernel that no random call met"
        );
    }
    if caller.wide {
        eprintln!("not tested: the very end of user addresses, which is not known on this machine");
    }
}
