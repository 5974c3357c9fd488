//! To come.
use std::io::Write;
fn main() {
    let mut args = std::env::args_os().skip(1);
    let launch = clonespy::tracer::Launch {
        program: args.next().unwrap_or_default(),
        args: args.collect(),
        own_signals: std::env::var_os("NOOWN").is_none(),
        stats: true,
        intercept: std::env::var("ICEPT").ok().map(|s| match s.as_str() {
            "event" => clonespy::event::Intercept::Event,
            "syscall" => clonespy::event::Intercept::Syscall,
            _ => clonespy::event::Intercept::Seccomp,
        }),
        ..Default::default()
    };
    let mut err = std::io::BufWriter::new(std::io::stderr());
    match clonespy::tracer::Tracer::launch(&launch) {
        Ok(tracer) => {
            for e in tracer {
                match e {
                    Ok(e) => {
                        let _ = writeln!(err, "{}", serde_json::to_string(&e).unwrap_or_default());
                    }
                    Err(e) => {
                        let _ = writeln!(err, "clonespy: {e}");
                    }
                }
            }
        }
        Err(e) => {
            let _ = writeln!(err, "clonespy: {e}");
        }
    }
}
