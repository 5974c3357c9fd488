use super::*;
use proptest::prelude::*;

/// A block whose field n, counted from 1, holds n in each of its bytes.
fn block(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| u8::try_from(at / 8 + 1).unwrap())
        .collect()
}

fn filled(field: u8) -> u64 {
    u64::from_ne_bytes([field; 8])
}

#[test]
fn the_three_versions() {
    let oldest = CloneArgs::parse(&block(SIZE_VER0)).unwrap();
    let expected = CloneArgs {
        flags: filled(1),
        pidfd: filled(2),
        child_tid: filled(3),
        parent_tid: filled(4),
        exit_signal: filled(5),
        stack: filled(6),
        stack_size: filled(7),
        tls: filled(8),
        ..CloneArgs::default()
    };
    assert_eq!(oldest, expected);

    let middle = CloneArgs::parse(&block(SIZE_VER1)).unwrap();
    let expected = CloneArgs {
        set_tid: filled(9),
        set_tid_size: filled(10),
        ..expected
    };
    assert_eq!(middle, expected);

    let newest = CloneArgs::parse(&block(SIZE_VER2)).unwrap();
    let expected = CloneArgs {
        cgroup: filled(11),
        ..expected
    };
    assert_eq!(newest, expected);
}

#[test]
fn odd_sizes_lack_bytes_that_read_as_zero() {
    let mut head = [0; 8];
    head[..3].fill(9);
    let odd = CloneArgs::parse(&block(67)).unwrap();
    assert_eq!(odd.set_tid, u64::from_ne_bytes(head));
    assert_eq!(odd.set_tid_size, 0);
    let whole = CloneArgs::parse(&block(72)).unwrap();
    assert_eq!((whole.set_tid, whole.set_tid_size), (filled(9), 0));
}

#[test]
fn shorter_ones_are_refused() {
    assert_eq!(CloneArgs::parse(&block(63)), None);
    assert_eq!(CloneArgs::parse(&[]), None);
}

#[test]
fn longer_ones_keep_their_tail() {
    let mut bytes = block(88);
    bytes.extend([0, 0, 7]);
    let args = CloneArgs::parse(&bytes).unwrap();
    assert_eq!(args.tail, [0, 0, 7]);
    assert!(args.has_unknown_tail());
    bytes.truncate(90);
    let args = CloneArgs::parse(&bytes).unwrap();
    assert_eq!(args.tail, [0, 0]);
    assert!(!args.has_unknown_tail());
}

proptest! {
    #[test]
    fn any_bytes_parse(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let parsed = CloneArgs::parse(&bytes);
        prop_assert_eq!(parsed.is_some(), bytes.len() >= SIZE_VER0);
        let Some(args) = parsed else { return Ok(()) };
        // Written out again, with zeros where bytes were lacking, it is the same block.
        let words = [
            args.flags, args.pidfd, args.child_tid, args.parent_tid, args.exit_signal, args.stack,
            args.stack_size, args.tls, args.set_tid, args.set_tid_size, args.cgroup,
        ];
        let mut written: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        written.extend(&args.tail);
        let mut padded = bytes.clone();
        padded.resize(bytes.len().max(SIZE_VER2), 0);
        prop_assert_eq!(written, padded);
    }
}
