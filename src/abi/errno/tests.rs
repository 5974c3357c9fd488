use super::*;
use crate::abi::testing::{defines, header};

#[test]
fn rows_are_in_order() {
    assert!(ERRNOS.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn names_and_numbers() {
    assert_eq!(name(1), Some("EPERM"));
    assert_eq!(name(11), Some("EAGAIN"));
    assert_eq!(name(22), Some("EINVAL"));
    assert_eq!(name(133), Some("EHWPOISON"));
    assert_eq!(name(513), Some("ERESTARTNOINTR"));
    assert_eq!(name(516), Some("ERESTART_RESTARTBLOCK"));
    for missing in [i32::MIN, -1, 0, 41, 58, 134, 511, 517, i32::MAX] {
        assert_eq!(name(missing), None, "{missing}");
    }
    for &(value, text) in ERRNOS {
        assert_eq!(name(value), Some(text));
        assert_eq!(number(text), Some(value));
    }
    assert_eq!(number("EWOULDBLOCK"), None);
}

#[test]
fn names_agree_with_the_installed_headers() {
    for path in [
        "/usr/include/asm-generic/errno-base.h",
        "/usr/include/asm-generic/errno.h",
    ] {
        let Some(text) = header(&[path]) else {
            continue;
        };
        let defined = defines(&text, "E");
        assert!(defined.len() > 30, "{path}: {}", defined.len());
        for (text, value) in defined {
            let value = i32::try_from(value).unwrap();
            assert_eq!(name(value), Some(text.as_str()), "{path}");
        }
    }
}
