//! What the child needs to become the program: files to try, arguments, environment, user.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nix::unistd::{User, getgrouplist};

use crate::error::{Error, Result};
use crate::sys::{Identity, Program, SockFilter};

use crate::tracer::start::options::Launch;

/// Everything that the child needs.
pub(in crate::tracer) fn prepare(launch: &Launch, filter: Vec<SockFilter>) -> Result<Program> {
    let env = environment(std::env::vars_os().collect(), &launch.env);
    let argv0 = launch.argv0.as_ref().unwrap_or(&launch.program);
    let argv = std::iter::once(argv0)
        .chain(&launch.args)
        .map(|arg| c_string(arg.as_bytes()));
    let envp = env
        .iter()
        .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()));
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, path)| path.clone().into_vec());
    Ok(Program {
        files: candidates(launch.program.as_bytes(), path.as_deref())?,
        argv: argv.collect::<Result<_>>()?,
        envp: envp.collect::<Result<_>>()?,
        identity: launch.user.as_deref().map(identity).transpose()?,
        filter,
    })
}

/// The environment with changes, in the order in which it was inherited; new ones come last.
fn environment(
    mut env: Vec<(OsString, OsString)>,
    changes: &[(OsString, Option<OsString>)],
) -> Vec<(OsString, OsString)> {
    for (name, value) in changes {
        let Some(value) = value else {
            env.retain(|(known, _)| known != name);
            continue;
        };
        match env.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => old.clone_from(value),
            None => env.push((name.clone(), value.clone())),
        }
    }
    env
}

/// The files to try, as execvp(3) does.
fn candidates(program: &[u8], path: Option<&[u8]>) -> Result<Vec<CString>> {
    if program.contains(&b'/') {
        return Ok(vec![c_string(program)?]);
    }
    if program.is_empty() {
        return Ok(Vec::new());
    }
    path.unwrap_or(b"/bin:/usr/bin")
        .split(|&byte| byte == b':')
        .map(|folder| {
            // An empty entry means the working directory.
            let folder = if folder.is_empty() {
                b".".as_slice()
            } else {
                folder
            };
            c_string(&[folder, b"/", program].concat())
        })
        .collect()
}

fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        Error::Usage(format!(
            "{text:?} has a NUL byte in it, which no program can be given"
        ))
    })
}

/// A user with all groups, as a login would have them.
fn identity(name: &str) -> Result<Identity> {
    let unknown = |why: io::Error| Error::Launch {
        what: format!("user {name:?}"),
        why,
    };
    let user = match User::from_name(name) {
        Ok(Some(user)) => user,
        Ok(None) => return Err(unknown(io::Error::other("there is no such user"))),
        Err(why) => return Err(unknown(why.into())),
    };
    let c_name = c_string(name.as_bytes())?;
    let groups = getgrouplist(&c_name, user.gid).map_err(|why| unknown(why.into()))?;
    Ok(Identity {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
    })
}

/// Why an exec failed, told apart as shells do: not there, or there and not to be run.
pub(in crate::tracer) fn cannot_run(program: String, errno: i32) -> Error {
    let why = io::Error::from_raw_os_error(errno);
    let missing = errno == libc::ENOENT || errno == libc::ENOTDIR;
    if missing && std::fs::exists(&program).unwrap_or(false) && program.contains('/') {
        let why = io::Error::other(format!(
            "{why} (the file is there: its interpreter, the #! line's or the ELF loader, is not)"
        ));
        Error::NotExecutable { program, why }
    } else if missing {
        Error::NotFound { program, why }
    } else {
        Error::NotExecutable { program, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(program: &str, path: Option<&str>) -> Vec<String> {
        candidates(program.as_bytes(), path.map(str::as_bytes))
            .expect("no NUL")
            .into_iter()
            .map(|file| file.into_string().expect("UTF-8"))
            .collect()
    }

    #[test]
    fn a_name_is_looked_up_as_execvp_does() {
        assert_eq!(texts("./a", Some("/x")), ["./a"]);
        assert_eq!(texts("a", Some("/x::/y")), ["/x/a", "./a", "/y/a"]);
        assert_eq!(texts("a", None), ["/bin/a", "/usr/bin/a"]);
        assert!(texts("", Some("/x")).is_empty());
    }

    #[test]
    fn the_environment_keeps_its_order() {
        let pairs = |text: &str| -> Vec<(OsString, OsString)> {
            text.split(' ')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.into(), value.into()))
                .collect()
        };
        let changes = [
            ("A".into(), Some("9".into())),
            ("B".into(), None),
            ("N".into(), Some("1".into())),
        ];
        assert_eq!(
            environment(pairs("Z=1 A=2 B=3 C=4"), &changes),
            pairs("Z=1 A=9 C=4 N=1")
        );
    }

    #[test]
    fn a_nul_byte_is_an_error_and_no_panic() {
        assert!(candidates(b"/a\0b", None).is_err());
    }

    #[test]
    fn a_user_must_exist() {
        assert!(identity("no-such-user-here").is_err());
        assert_eq!(identity("root").expect("root exists").uid, 0);
    }
}
