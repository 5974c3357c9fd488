use super::*;
use crate::event::Linkage;
use crate::peek::testing::Recorded;

fn exec(task: &Recorded) -> Exec {
    let mut event = Exec::unread(100, 100);
    Program.exec(task, &mut event);
    event
}

fn with_cmdline(bytes: &[u8]) -> Exec {
    exec(&Recorded::new().with_file("cmdline", bytes))
}

#[test]
fn a_real_program() {
    let this = std::env::current_exe().unwrap();
    let task = Recorded::new()
        .with_file("comm", "name\n")
        .with_file("cmdline", "./a\0b c\0")
        .with_file("exe", std::fs::read(&this).unwrap())
        .with_link("exe", "/srv/a (deleted)");
    let event = exec(&task);
    assert_eq!(event.path.as_deref(), Some("/srv/a (deleted)"));
    assert_eq!(event.path_hex, None);
    assert_eq!(event.comm.as_deref(), Some("name"));
    assert_eq!(event.argv, Some(vec!["./a".to_owned(), "b c".to_owned()]));
    assert_eq!((event.argv_hex, event.argv_truncated), (None, Some(false)));
    assert_eq!(event.linkage, Some(Linkage::Dynamic));
    assert_eq!(event.stripped, Some(false), "a test program has symbols");
    assert!(
        event
            .interpreter
            .flatten()
            .is_some_and(|path| path.starts_with('/'))
    );
    assert!(event.machine.is_some() && event.build_id.is_some());
}

#[test]
fn a_task_that_is_gone_leaves_everything_absent() {
    let event = exec(&Recorded::new());
    assert_eq!(
        serde_json::to_value(&event)
            .unwrap()
            .as_object()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn arguments_are_split_at_nuls() {
    for (bytes, want) in [
        (&b"a\0"[..], vec!["a"]),
        (b"a", vec!["a"]),
        (b"a\0b", vec!["a", "b"]),
        (b"a\0\0", vec!["a", ""]),
        (b"\0", vec![""]),
        (b"\0a\0", vec!["", "a"]),
        (b"", vec![]),
        (b"a\nb\0", vec!["a\nb"]),
    ] {
        let event = with_cmdline(bytes);
        assert_eq!(
            event.argv,
            Some(want.into_iter().map(str::to_owned).collect()),
            "{bytes:?}"
        );
        assert_eq!(event.argv_truncated, Some(false));
    }
}

#[test]
fn bytes_that_are_not_utf8_are_kept_in_hex() {
    let event = with_cmdline(b"a\0\xff\0");
    assert_eq!(
        event.argv,
        Some(vec!["a".to_owned(), "\u{fffd}".to_owned()])
    );
    assert_eq!(event.argv_hex, Some(vec!["61".to_owned(), "ff".to_owned()]));
    let task = Recorded::new()
        .with_file("comm", b"\xfe\n\n")
        .with_link("exe", b"/\xfd");
    let event = exec(&task);
    assert_eq!(
        event.comm.as_deref(),
        Some("\u{fffd}\n"),
        "one newline is the kernel's"
    );
    assert_eq!(event.comm_hex.as_deref(), Some("fe0a"));
    assert_eq!(event.path_hex.as_deref(), Some("2ffd"));
}

#[test]
fn long_command_lines_are_cut_and_said_to_be() {
    let full = [vec![b'x'; ARGV_BYTES - 3], b"\0y\0".to_vec()].concat();
    let event = with_cmdline(&full);
    assert_eq!(event.argv.map(|argv| argv.len()), Some(2));
    assert_eq!(event.argv_truncated, Some(false), "just fits");

    let event = with_cmdline(&[&full[..], b"z\0"].concat());
    assert_eq!(event.argv.map(|argv| argv.len()), Some(2));
    assert_eq!(event.argv_truncated, Some(true));

    // Our cut goes through a character: that one goes too.
    let event = with_cmdline(&[vec![b'x'; ARGV_BYTES - 2], "€€\0".into()].concat());
    let argv = event.argv.unwrap();
    assert_eq!((argv.len(), argv[0].len()), (1, ARGV_BYTES - 2));
    assert_eq!((event.argv_hex, event.argv_truncated), (None, Some(true)));

    let event = with_cmdline(&[0; ARGV_COUNT]);
    assert_eq!(
        (event.argv.unwrap().len(), event.argv_truncated),
        (ARGV_COUNT, Some(false))
    );
    let event = with_cmdline(&[0; ARGV_COUNT + 1]);
    assert_eq!(
        (event.argv.unwrap().len(), event.argv_truncated),
        (ARGV_COUNT, Some(true))
    );
}

#[test]
fn a_script_has_no_facts() {
    let task = Recorded::new().with_file("exe", "#!/bin/sh\n");
    assert_eq!((exec(&task).machine, exec(&task).build_id), (None, None));
}
