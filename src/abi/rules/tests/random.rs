//! Random calls, made to the running kernel: the tables must foretell each answer.
//!
//! The seed is fixed, so that a failure comes again; `CLONESPY_SEED` and `CLONESPY_CALLS` set others.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::*;
use super::machine::{self, CAP_SETUID, CAP_SYS_ADMIN, NOBODY};
use super::refusals;
use crate::abi::args::CloneArgs;
use crate::abi::errno;
use crate::abi::flags::*;

// The pages of fixtures/rules/random_clone.c.
const ARENA: u64 = 0x1000_0000_0000;
const PAGE: u64 = 0x1000;
const BLOCK: u64 = ARENA + PAGE;
const WORDS: u64 = ARENA + 3 * PAGE;
const READ_ONLY: u64 = ARENA + 4 * PAGE;
const TIDS: u64 = ARENA + 6 * PAGE;
const STACK: u64 = ARENA + 8 * PAGE;
const HOLE: u64 = ARENA + 5 * PAGE;
const USER_END: u64 = 0x7fff_ffff_f000;
const KERNEL: u64 = 0xffff_8000_0000_0000;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 33) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// Who calls, and what is known of the place.
#[derive(Clone, Copy)]
struct Caller {
    admin: bool,
    /// Pid namespaces that number it.
    levels: u64,
    /// Which flags are left out, because a policy of this machine stands before them.
    without: CloneFlags,
    wide: bool,
}

/// A call, as the table sees it and as the program is told.
struct Case {
    arguments: Arguments,
    line: String,
}

fn flags(random: &mut Random, clone3: bool) -> u64 {
    // What programs pass, so that calls come past the first checks, with a few bits turned over.
    let mut flags = random.of(&[
        0,
        0x4100,
        0x0120_0000,
        0x003d_0f00,
        0x0001_0f00,
        0x0001_0d00,
        0x900,
        0x1100,
        // For ordinary users too: IPC namespace and undo list, in a user namespace.
        0x1804_0000,
    ]);
    for _ in 0..random.below(4) {
        flags ^= random.of(FLAGS.iter().map(|f| f.bits).collect::<Vec<_>>().as_slice());
    }
    if random.one_in(12) {
        flags ^= 1 << random.below(if clone3 { 64 } else { 40 });
    }
    // A network namespace takes long to make and longer to go.
    if !random.one_in(8) {
        flags &= !CLONE_NEWNET.0;
    }
    flags
}

fn address(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => 0,
        1 => HOLE,
        2 => READ_ONLY,
        3 => KERNEL,
        // Two results share a place now and then.
        4 => WORDS,
        _ => WORDS + 8 * random.below(16),
    }
}

fn thread_pointer(random: &mut Random, wide: bool) -> u64 {
    let far = [KERNEL, u64::MAX, 1 << 63];
    match random.below(8) {
        0 => random.of(&far),
        1 if !wide => random.of(&[USER_END - 1, USER_END, USER_END + 1, 1 << 62]),
        _ => random.of(&[0, 8, WORDS]),
    }
}

fn clone(random: &mut Random, caller: &Caller) -> Case {
    let signal = random.of(&[0, 0, 17, 17, 17, 9, 10, 19, 64, 65, 0x91, 255]);
    let word = (flags(random, false) & !caller.without.0 & !0xff) | signal;
    let arguments = Arguments {
        word,
        stack: random.of(&[0, STACK + 2 * PAGE, HOLE, KERNEL]),
        parent_tid: address(random),
        child_tid: address(random),
        tls: thread_pointer(random, caller.wide),
        ..Arguments::new(Call::Clone)
    };
    let Arguments {
        stack,
        parent_tid,
        child_tid,
        tls,
        ..
    } = arguments;
    Case {
        line: format!("clone {word:x} {stack:x} {parent_tid:x} {child_tid:x} {tls:x}"),
        arguments,
    }
}

fn clone3(random: &mut Random, caller: &Caller) -> Case {
    let flags = flags(random, true) & !caller.without.0;
    let own = CloneFlags(flags).intersects(CLONE_THREAD.union(CLONE_PARENT));
    let (stack, stack_size) = stack(random, caller.wide);
    let tids: Vec<i32> = match random.below(20) {
        0..16 => Vec::new(),
        16 => vec![random.of(&[0, -1, i32::MIN])],
        17 => vec![i32::MAX],
        18 => vec![1; usize::try_from(random.below(4)).unwrap()],
        _ => vec![1],
    };
    let block = CloneArgs {
        flags,
        pidfd: address(random),
        child_tid: address(random),
        parent_tid: address(random),
        exit_signal: match (own, random.below(8)) {
            (true, 1..) => 0,
            (false, 1..) => 17,
            (_, 0) => random.of(&[0, 9, 19, 64, 65, 255, 256, 1 << 32, u64::MAX]),
        },
        stack,
        stack_size,
        tls: thread_pointer(random, caller.wide),
        set_tid: match (tids.is_empty(), random.below(30)) {
            (_, 0) => random.of(&[0, HOLE, KERNEL]),
            (true, _) => 0,
            (false, _) => TIDS,
        },
        set_tid_size: match random.below(40) {
            0 => random.of(&[1, 33, 1 << 32, u64::MAX]),
            _ => tids.len() as u64,
        },
        cgroup: match random.below(4) {
            0 => random.of(&[0x7fff_ffff, 0x8000_0000, u64::MAX]),
            _ => random.of(&[0, 0x7fff_fffe]),
        },
        tail: Vec::new(),
    };
    placed(random, &block, &tids)
}

fn stack(random: &mut Random, wide: bool) -> (u64, u64) {
    match random.below(12) {
        0 => random.of(&[(0, 1), (STACK, 0), (0, u64::MAX)]),
        1 => random.of(&[(KERNEL, PAGE), (u64::MAX, 1), (STACK, u64::MAX)]),
        2 if !wide => random.of(&[
            (USER_END - PAGE, PAGE),
            (USER_END - PAGE, PAGE + 1),
            (1 << 62, PAGE),
        ]),
        3 => (HOLE, 1),
        4..8 => (STACK, 2 * PAGE),
        _ => (0, 0),
    }
}

/// The block at an address, with a size, and what of it can be read there.
fn placed(random: &mut Random, block: &CloneArgs, tids: &[i32]) -> Case {
    let size = match random.below(10) {
        0 => random.of(&[0, 63, 64, 67, 72, 80, 87]),
        1 => random.of(&[89, 96, 200, PAGE]),
        2 => random.of(&[PAGE, PAGE + 1, u64::MAX]),
        _ => 88,
    };
    let words = [
        block.flags,
        block.pidfd,
        block.child_tid,
        block.parent_tid,
        block.exit_signal,
        block.stack,
        block.stack_size,
        block.tls,
        block.set_tid,
        block.set_tid_size,
        block.cgroup,
    ];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let shown = usize::try_from(size.min(PAGE)).unwrap();
    bytes.resize(shown, 0);
    if shown > 88 && random.one_in(2) {
        let at = 88 + usize::try_from(random.below(shown as u64 - 88)).unwrap();
        bytes[at] = 1;
    }
    let at = match random.below(16) {
        0 => random.of(&[0, HOLE, KERNEL, u64::MAX - 8]),
        1 => BLOCK - 8 * (1 + random.below(10)), // the beginning cannot be read
        2 => BLOCK + PAGE - 8 * (1 + random.below(14)), // the end cannot
        _ => BLOCK,
    };
    let mut arguments = match CloneArgs::parse(&bytes) {
        Some(parsed) => Arguments::of_block(size, &parsed),
        None => Arguments {
            size,
            ..Arguments::new(Call::Clone3)
        },
    };
    let can_read = |offset: usize| {
        let byte = at.checked_add(offset as u64);
        byte.is_some_and(|byte| (BLOCK..BLOCK + PAGE).contains(&byte))
    };
    arguments.readable = (0..shown.min(88)).all(can_read);
    // The kernel reads the tail from its beginning, until something is not zero or cannot be read.
    arguments.tail = (88..shown)
        .find(|&offset| !can_read(offset) || bytes[offset] != 0)
        .map_or(Some(false), |offset| can_read(offset).then_some(true));
    arguments.tids = if arguments.set_tid == TIDS {
        let count = usize::try_from(arguments.set_tid_size.min(32)).unwrap();
        Tids::Read(
            (0..count)
                .map(|i| tids.get(i).copied().unwrap_or(0))
                .collect(),
        )
    } else {
        Tids::Unreadable
    };
    let mut hex = String::from(if bytes.is_empty() { "-" } else { "" });
    bytes
        .iter()
        .for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    let numbers: Vec<String> = tids.iter().map(i32::to_string).collect();
    let numbers = if tids.is_empty() {
        "-".to_owned()
    } else {
        numbers.join(",")
    };
    Case {
        line: format!("clone3 {at:x} {size:x} {hex} {numbers}"),
        arguments,
    }
}

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
            2..14 => clone(&mut random, caller),
            _ => clone3(&mut random, caller),
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
