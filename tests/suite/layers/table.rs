//! Who may use whom. What is not in these tables is not allowed.

/// What each module at the top of `src` may use besides itself. A new module gets a row.
pub const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &[]),
    // Not all of `event`: see [`EXCEPTIONS`].
    ("abi", &["error", "event"]),
    ("event", &["error", "abi"]),
    ("suggest", &[]),
    ("output", &["error", "sys"]),
    ("origins", &["error", "abi", "event"]),
    ("seccomp", &["error", "abi"]),
    // The kinds of questions that the kernel answers are its.
    ("peek", &["error", "abi", "event", "sys"]),
    ("proc", &["error", "abi", "event", "peek"]),
    ("decode", &["error", "abi", "event", "peek"]),
    ("symbols", &["error", "abi", "event", "peek", "decode"]),
    (
        "observe",
        &[
            "error", "abi", "event", "proc", "origins", "seccomp", "peek", "decode", "symbols",
            "sys",
        ],
    ),
    ("ledger", &["error", "abi", "event"]),
    (
        "tracer",
        &[
            "error", "abi", "event", "proc", "origins", "seccomp", "peek", "decode", "symbols",
            "observe", "ledger", "sys",
        ],
    ),
    ("sys", &["error"]),
    ("replay", &["error", "abi", "event"]),
    ("tasks", &["error", "abi", "event"]),
    (
        "lint",
        &["error", "abi", "event", "suggest", "origins", "tasks"],
    ),
    (
        "check",
        &[
            "error", "abi", "event", "suggest", "origins", "tasks", "lint", "output",
        ],
    ),
    ("layout", &["abi"]),
    (
        "report",
        &["error", "abi", "event", "layout", "origins", "tasks"],
    ),
    (
        "explain",
        &["error", "abi", "event", "layout", "suggest", "origins"],
    ),
];

/// What joins the layers and may use all of them.
pub const JOINTS: &[&str] = &["lib", "library", "cli", "main"];

/// Modules for tests alone: any test may use them.
pub const FOR_TESTS: &[&str] = &["event_samples", "scripted", "watchdog"];

/// What a module may use of another, and nothing else: the tables of calls, and what explains them,
/// speak of the four calls and of how a stack is given.
pub const EXCEPTIONS: &[(&str, &str, &[&str])] = &[
    ("abi", "event", &["Call", "Stack"]),
    ("explain", "event", &["Call", "Stack"]),
];

/// Where the methods of the tracer stand.
pub const TRACER: &[&str] = &["tracer/mod.rs", "tracer/start/", "tracer/attach/"];

/// Parts of `src/tracer/state/` of which one uses another, and why.
pub const STATE: &[(&str, &str, &str)] = &[
    // What all parts may use: the table of tasks with their calls, and the context around it.
    ("table", "pending", "a task is in a call"),
    (
        "endings",
        "table",
        "how a task ended depends on what it was",
    ),
    (
        "exit_stops",
        "table",
        "whether all threads of a process have stopped",
    ),
    ("context", "table", "it holds the table"),
    ("context", "pending", "it tells of calls"),
    ("context", "endings", "it tells how tasks end"),
    ("context", "exit_stops", "it tells what they left unreaped"),
    (
        "births",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    (
        "calls",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    (
        "execs",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    (
        "filters",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    ("init", "context", "it asks the kernel and tells the ledger"),
    (
        "interrupts",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    (
        "lifecycle",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    (
        "newborns",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    (
        "trace_end",
        "context",
        "it asks the kernel and tells the ledger",
    ),
    ("births", "table", "it looks up tasks"),
    ("execs", "table", "it looks up tasks"),
    ("filters", "table", "it looks up tasks"),
    ("lifecycle", "table", "it looks up tasks"),
    ("newborns", "table", "it looks up tasks"),
    ("restarts", "table", "it looks up tasks"),
    ("vforks", "table", "it looks up tasks"),
    ("births", "pending", "it handles calls under way"),
    ("calls", "pending", "it handles calls under way"),
    ("lifecycle", "pending", "it handles calls under way"),
    ("newborns", "pending", "it handles calls under way"),
    ("restarts", "pending", "it handles calls under way"),
    ("untraced", "pending", "it handles calls under way"),
    // One part that another asks.
    (
        "calls",
        "restarts",
        "a call that is entered may be one that is made again",
    ),
    (
        "calls",
        "untraced",
        "CLONE_UNTRACED is taken off at the entry and put back",
    ),
    (
        "calls",
        "endings",
        "a filter that ended the caller refused its call",
    ),
    ("execs", "restarts", "an exec ends the calls of its process"),
    ("execs", "newborns", "and newborns may yet tell of them"),
    (
        "filters",
        "interrupts",
        "a filter for all threads interrupts the others",
    ),
    (
        "newborns",
        "births",
        "who was made by a dead caller is described as others are",
    ),
    // Birth to end, where several parts have a share.
    ("lifecycle", "births", "a newborn is told and taken in"),
    ("lifecycle", "calls", "the call behind an event"),
    (
        "lifecycle",
        "newborns",
        "newborns whose creator is not known",
    ),
    ("lifecycle", "restarts", "a task that goes leaves its calls"),
    (
        "lifecycle",
        "untraced",
        "a newborn has a copy of what was changed",
    ),
];
