//! PostgreSQL with message-db: the cluster as Debian ships it, the functions as npm delivers them.

use std::ops::Range;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustix::process::Signal;
use tokio_postgres::{Client, Config, NoTls, Statement};
use uuid::Uuid;

use super::serving::{Serving, free_port, fresh, privileged};
use super::{Places, Space, System, stream, text};
use crate::fault::Fault;

/// Who may run a server of PostgreSQL where the one that measures may do anything.
const USER: &str = "postgres";
/// All streams are of one category, as plans would be.
const CATEGORY: &str = "plan";
/// Messages that are read at once; ten times what the function takes by itself, and faster.
const PAGE: i64 = 10_000;

const ONE: &str = "SELECT write_message($1, $2, 'StatusWritten', $3::text::jsonb)";
const MANY: &str = "SELECT write_message(id, stream, 'StatusWritten', data::jsonb) \
    FROM unnest($1::varchar[], $2::varchar[], $3::text[]) AS messages (id, stream, data)";
const READ: &str = "SELECT global_position, stream_name, type, id, data \
    FROM get_category_messages($1, $2, $3)";
/// What makes it durable.
const SETTINGS: &str = "SELECT string_agg(name || ' ' || setting, ', ' ORDER BY name) FROM pg_settings \
    WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method')";

pub(crate) struct MessageDb {
    serving: Serving,
    port: u16,
    link: Arc<Link>,
}

/// A connection, with its statements.
pub(crate) struct Link {
    client: Client,
    one: Statement,
    many: Statement,
}

#[derive(Default)]
pub(crate) struct Messages {
    ids: Vec<String>,
    streams: Vec<String>,
    data: Vec<String>,
}

fn failed(error: impl std::error::Error) -> Fault {
    Fault::said(MessageDb::NAME, &error)
}

/// Runs a program to its end.
fn carried_out(command: &mut Command) -> Result<(), Fault> {
    let output = command.stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Fault::System {
            system: MessageDb::NAME,
            reason: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}

/// Makes a cluster that trusts whoever connects from this machine.
fn make(postgres: &Path, dir: &Path, data: &Path) -> Result<(), Fault> {
    let mut command = Command::new("setpriv");
    if privileged() {
        let id = |flag| {
            let output = Command::new("id").args([flag, USER]).output()?;
            let said = String::from_utf8_lossy(&output.stdout).trim().parse();
            said.map_err(|_| Fault::Untrue(format!("there is no user {USER}")))
        };
        chown(dir, Some(id("-u")?), Some(id("-g")?))?;
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    }
    let locale = ["--encoding=UTF8", "--locale=C", "--no-sync"];
    command.arg(postgres.join("initdb")).arg("-D").arg(data);
    carried_out(
        command
            .args(["-U", USER, "--auth=trust"])
            .args(locale)
            .current_dir(dir),
    )
}

async fn connect(port: u16) -> Result<Link, tokio_postgres::Error> {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("message_store")
        .dbname("message_store");
    config.options("-c search_path=message_store,public");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    let (one, many) = (client.prepare(ONE).await?, client.prepare(MANY).await?);
    Ok(Link { client, one, many })
}

impl MessageDb {
    async fn number(&self, sql: &str) -> Result<u64, Fault> {
        let row = self.link.client.query_one(sql, &[]).await.map_err(failed)?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }
}

impl System for MessageDb {
    const NAME: &'static str = "message-db";
    const SERVER: bool = true;
    type Call = Messages;
    type Connection = Arc<Link>;

    async fn start(places: &Places) -> Result<Self, Fault> {
        let dir = fresh(Self::NAME, &places.dir)?;
        let (data, port) = (dir.path().join("data"), free_port()?);
        make(&places.postgres, dir.path(), &data)?;
        let (at, port_said) = (data.display().to_string(), port.to_string());
        let mut arguments = vec!["-D", &at, "-p", &port_said];
        arguments.extend([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]);
        let (program, user) = (
            places.postgres.join("postgres"),
            privileged().then_some(USER),
        );
        let mut serving = Serving::start(Self::NAME, dir, user, Signal::INT, &program, &arguments)?;
        serving
            .until(async |said| said.contains("ready to accept connections").then_some(()))
            .await?;
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", places.postgres.display());
        let mut install = Command::new("bash");
        install.arg(places.message_db.join("install.sh"));
        install
            .env("PATH", path)
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", &port_said);
        carried_out(install.env("PGUSER", USER).env("PGDATABASE", USER))?;
        let link = Arc::new(connect(port).await.map_err(failed)?);
        Ok(Self {
            serving,
            port,
            link,
        })
    }

    fn process(&self) -> u32 {
        self.serving.process()
    }

    fn call(&self, numbers: Range<u64>) -> Result<Self::Call, Fault> {
        let mut messages = Messages::default();
        for number in numbers {
            messages.ids.push(Uuid::new_v4().to_string());
            messages
                .streams
                .push(format!("{CATEGORY}-{}", stream(number)));
            let data = serde_json::json!({ "text": text(number)? });
            messages.data.push(data.to_string());
        }
        Ok(messages)
    }

    async fn connect(&self) -> Result<Self::Connection, Fault> {
        Ok(Arc::new(connect(self.port).await.map_err(failed)?))
    }

    async fn send(link: Self::Connection, call: Self::Call) -> Result<(), Fault> {
        let Messages { ids, streams, data } = call;
        let answered = match (ids.as_slice(), streams.as_slice(), data.as_slice()) {
            ([id], [stream], [data]) => link.client.query(&link.one, &[id, stream, data]).await,
            _ => {
                link.client
                    .query(&link.many, &[&ids, &streams, &data])
                    .await
            }
        };
        match answered.map_err(failed)?.len() == ids.len() {
            true => Ok(()),
            false => Err(Fault::Untrue(
                "message-db did not answer for each message".to_owned(),
            )),
        }
    }

    async fn count(&self) -> Result<u64, Fault> {
        self.number("SELECT count(*) FROM messages").await
    }

    async fn read_all(&self) -> Result<u64, Fault> {
        let read = self.link.client.prepare(READ).await.map_err(failed)?;
        let (mut count, mut bytes, mut next) = (0, 0, 1_i64);
        loop {
            let rows = self
                .link
                .client
                .query(&read, &[&CATEGORY, &next, &PAGE])
                .await;
            let rows = rows.map_err(failed)?;
            let Some(last) = rows.last() else {
                break;
            };
            next = last.get::<_, i64>(0) + 1;
            count += rows.len() as u64;
            bytes += rows
                .iter()
                .map(|row| row.get::<_, &str>(4).len())
                .sum::<usize>();
        }
        match bytes > 0 || count == 0 {
            true => Ok(count),
            false => Err(Fault::Untrue("message-db gave no data".to_owned())),
        }
    }

    /// Tables and indexes, also what is not in their files yet; the log apart, as it is written, for what is
    /// kept of it is reused.
    async fn space(&self) -> Result<Space, Fault> {
        let all = "SELECT pg_database_size(current_database())";
        let log = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint";
        Ok(Space {
            all: self.number(all).await?,
            log: Some(self.number(log).await?),
        })
    }

    async fn settings(&self) -> Result<Option<String>, Fault> {
        let row = self
            .link
            .client
            .query_one(SETTINGS, &[])
            .await
            .map_err(failed)?;
        Ok(row.get(0))
    }

    async fn stop(self) -> Result<(), Fault> {
        let Self { serving, link, .. } = self;
        drop(link);
        serving.stop()
    }
}
