//! What the errors of clone mean, in a few words: clone(2), and `copy_process` in kernel/fork.c.

use crate::report::Lang;

#[rustfmt::skip]
static WORDS: &[(&str, [&str; 2])] = &[
    ("E2BIG", ["a larger struct than the kernel knows", "结构体大于内核所知"]),
    ("EACCES", ["no access", "无访问权限"]),
    ("EAGAIN", ["a limit is reached", "达到上限"]),
    ("EBADF", ["bad descriptor", "描述符无效"]),
    ("EBUSY", ["busy", "资源忙"]),
    ("EEXIST", ["the wanted tid is taken", "所要的 tid 已被占用"]),
    ("EFAULT", ["bad address", "地址无效"]),
    ("EINTR", ["interrupted", "被中断"]),
    ("EINVAL", ["invalid argument", "参数无效"]),
    ("EMFILE", ["too many descriptors", "描述符过多"]),
    ("ENFILE", ["too many open files", "打开文件过多"]),
    ("ENOMEM", ["no memory", "内存不足"]),
    ("ENOSPC", ["too many namespaces", "命名空间过多"]),
    ("ENOSYS", ["no such system call", "没有此系统调用"]),
    ("EOPNOTSUPP", ["not supported", "不支持"]),
    ("EPERM", ["not permitted", "不允许"]),
    ("EUSERS", ["too many user namespaces", "用户命名空间过多"]),
    ("ERESTARTNOINTR", ["a signal came first, the call begins anew", "信号先到，调用重新开始"]),
];

/// An error in words; `None` where there are none better than its name.
pub(super) fn words(errno: &str, lang: Lang) -> Option<&'static str> {
    let (_, [english, chinese]) = WORDS.iter().find(|(name, _)| *name == errno)?;
    Some(lang.pick(english, chinese))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_here_is_one() {
        for (name, _) in WORDS {
            assert!(crate::abi::errno::number(name).is_some(), "{name}");
        }
        assert_eq!(words("EINVAL", Lang::Chinese), Some("参数无效"));
        assert_eq!(words("EILSEQ", Lang::English), None);
    }
}
