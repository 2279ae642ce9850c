//! The program that the tests put in jail. Its guest does what it is asked, good or bad; by other arguments it is a host, or tells
//! what it sees from inside, or tries to go to jail on a machine that lacks something.

mod crimes;
mod facts;
mod host;
mod lacking;
mod worker;

use std::{
    ffi::OsStr,
    io::{self, Write as _},
    os::fd::OwnedFd,
    process::ExitCode,
};

use jail::{
    Deadline, calls,
    server::{Connection, Guest},
};

fn main() -> ExitCode {
    let mut raw = std::env::args_os().skip(1);
    match raw.next().as_deref().and_then(OsStr::to_str) {
        Some("room") => return jail::room::main(raw),
        Some("room-lacking") => {
            let layer = raw.next().unwrap_or_default();
            return lacking::make_room(&layer.to_string_lossy(), raw);
        }
        _ => {}
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] => jail::server::serve(Probe { deadline: None }, &calls::FORK_SERVER)
            .map_err(|err| err.to_string()),
        ["worker"] => worker::work_once(),
        ["facts"] => facts::tell(),
        ["lacking", rest @ ..] => lacking::try_to_enter(rest),
        ["host", program] => host::ask_once(program),
        ["host-that-waits", program] => host::wait_for_ever(program),
        ["host-that-starts", program] => host::start_for_ever(program),
        other => Err(format!("no such mode: {other:?}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            writeln!(io::stderr(), "{reason}").ok();
            ExitCode::FAILURE
        }
    }
}

/// A guest whose requests are a verb and its argument.
struct Probe {
    deadline: Option<Deadline>,
}

/// What children inherit: the artifact's text, in a server that has one.
struct Ready {
    artifact: String,
    deadline: Deadline,
}

impl Guest for Probe {
    type Ready = Ready;

    fn set_up(&mut self) -> Result<(), String> {
        let prepared = Deadline::prepare().map_err(|err| err.to_string())?;
        self.deadline = Some(prepared);
        Ok(())
    }

    fn prepare(&mut self, artifact: Option<OwnedFd>) -> Result<Ready, String> {
        let artifact = artifact
            .as_ref()
            .map_or_else(|| Ok(String::new()), crimes::text_of)?;
        if let Some(crime) = artifact.strip_prefix("server ") {
            crimes::commit_in_server(crime)?;
        }
        let deadline = self.deadline.ok_or("not set up")?;
        Ok(Ready { artifact, deadline })
    }

    fn answer(ready: Ready, connection: Connection) {
        let Ok((request, artifact)) = connection.receive(1 << 20) else {
            return;
        };
        let request = String::from_utf8_lossy(&request).into_owned();
        let (verb, argument) = request.split_once(' ').unwrap_or((&request, ""));
        let answer = match (verb, artifact) {
            ("echo", _) => argument.to_owned(),
            ("artifact", Some(own)) => crimes::text_of(&own).unwrap_or_else(|reason| reason),
            ("artifact", None) => ready.artifact,
            _ => crimes::commit(verb, argument, &connection, ready.deadline),
        };
        connection.send(&[answer.as_bytes()]).ok();
    }
}
