//! `planledger witness` as a process of its own, and what can be asked of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use planledger_core::tlog::{SignedCheckpoint, VerifierKey};
use planledger_proto::v1::Checkpoint;
use rustix::process::{Pid, Signal, kill_process};
use ureq::Agent;

use super::program::{program, start};
use super::voice::PATIENCE;

/// A witness that runs.
pub(crate) struct Watching {
    /// What others need to know of it.
    pub(crate) key: String,
    pub(crate) url: String,
    child: Child,
    log: Option<JoinHandle<String>>,
}

/// What a witness answers.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: String,
}

impl Watching {
    /// Starts one on a free port, which watches the logs of these keys. The name counts when it is
    /// new.
    pub(crate) fn start(dir: &Path, name: &str, logs: &[&str]) -> Self {
        let more = logs.iter().flat_map(|log| ["--log-key", *log]);
        Self::start_with(dir, name, &more.collect::<Vec<_>>())
    }

    /// The same, with these options.
    pub(crate) fn start_with(dir: &Path, name: &str, more: &[&str]) -> Self {
        Self::launch("witness", dir, name, more)
    }

    /// Starts a monitor with these options.
    pub(crate) fn monitor(dir: &Path, name: &str, more: &[&str]) -> Self {
        Self::launch("monitor", dir, name, more)
    }

    fn launch(what: &str, dir: &Path, name: &str, more: &[&str]) -> Self {
        let mut command = program();
        command.args([what, "--listen", "127.0.0.1:0", "--name", name]);
        command.args(more);
        command.arg("--dir").arg(dir);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = start(&mut command);
        let mut key = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut key).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let from = log.len();
            assert!(stderr.read_line(&mut log).unwrap() > 0, "{log}");
            if let Some(url) = log[from..].trim_end().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        // Whatever else it says must not fill the pipe up.
        let log = std::thread::spawn(move || {
            std::io::Read::read_to_string(&mut stderr, &mut log).unwrap();
            log
        });
        Self {
            key: key.trim().to_owned(),
            url,
            child,
            log: Some(log),
        }
    }

    /// Stops it properly; gives what it said.
    pub(crate) fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a body to cosign.
    pub(crate) fn post(&self, body: &str) -> Said {
        self.tell("add-checkpoint", body)
    }

    /// Sends a body to a page of it.
    pub(crate) fn tell(&self, path: &str, body: &str) -> Said {
        let url = format!("{}/{path}", self.url);
        said(agent().post(url).send(body).unwrap())
    }

    /// Asks it to cosign a checkpoint that grew from one of `old` events.
    pub(crate) fn ask(&self, old: u64, proof: &[String], note: &str) -> Said {
        let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
        self.post(&format!("old {old}\n{proof}\n{note}"))
    }

    /// Gets a page of it.
    pub(crate) fn get(&self, path: &str) -> Said {
        said(agent().get(format!("{}/{path}", self.url)).call().unwrap())
    }

    /// Asserts that an answer is its cosignature of a checkpoint.
    pub(crate) fn assert_cosigned(&self, said: &Said, checkpoint: &Checkpoint) {
        assert_eq!(said.status, 200, "{said:?}");
        let note = format!("{}{}", checkpoint.note, said.body);
        assert!(self.has_cosigned(&note), "{note}");
    }

    /// Whether a note has its cosignature.
    pub(crate) fn has_cosigned(&self, note: &str) -> bool {
        let key: VerifierKey = self.key.parse().unwrap();
        let signed = SignedCheckpoint::parse(note.as_bytes()).unwrap();
        signed.note.verify([&key]).is_ok()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder().timeout_global(Some(PATIENCE));
    config.http_status_as_error(false).build().into()
}

fn said(mut answer: ureq::http::Response<ureq::Body>) -> Said {
    let kind = answer.headers().get("content-type");
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
    Said {
        status: answer.status().as_u16(),
        kind: kind.unwrap_or_default(),
        body: answer.body_mut().read_to_string().unwrap(),
    }
}
