//! A client of HTTP/2 written by hand, so that it can leave undone what every good client does: read
//! answers, end requests, say who it is.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::voice::PATIENCE;

/// What every client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Kinds of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
/// Flags of frames.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// An empty message of gRPC.
pub(crate) const EMPTY: &[u8] = &[0; 5];

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// An answer came to its end, and had a message.
    Answered,
    /// An answer came to its end without a message, so it is an error.
    Refused,
    /// The server gave it up.
    Reset,
}

#[derive(Default)]
struct Seen {
    /// Of each request, how many bytes of its answer came.
    bytes: BTreeMap<u32, usize>,
    ended: BTreeMap<u32, Ended>,
    widened: bool,
    told_to_go: bool,
    over: bool,
}

/// One connection. It answers pings, and does nothing else that it is not told to.
pub(crate) struct Raw {
    writer: Arc<tokio::sync::Mutex<OwnedWriteHalf>>,
    seen: Arc<Mutex<Seen>>,
    next: u32,
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header as HPACK has it without any table.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        assert!(text.len() < 127);
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text.as_bytes());
    }
    bytes
}

impl Raw {
    /// Connects to a server from one of the addresses of this machine, 127.0.0.`from`, and gives the
    /// server a window of so many bytes for each answer. `None` if the server hangs up at once.
    pub(crate) async fn connect(url: &str, from: u8, window: u32) -> Option<Self> {
        let to: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, from));
        socket.bind((from, 0).into()).unwrap();
        let stream = socket.connect(to).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (reader, mut writer) = stream.into_split();
        let mut settings = vec![0, 4];
        settings.extend(window.to_be_bytes());
        let begin = [PREFACE, &frame(SETTINGS, 0, 0, &settings)].concat();
        writer.write_all(&begin).await.ok()?;
        let raw = Self {
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            seen: Arc::default(),
            next: 1,
        };
        tokio::spawn(pump(reader, raw.writer.clone(), raw.seen.clone()));
        Some(raw)
    }

    /// Whether the server has hung up.
    pub(crate) fn is_over(&self) -> bool {
        lock(&self.seen).over
    }

    /// Whether the server has said that it accepts nothing more here.
    pub(crate) fn is_told_to_go(&self) -> bool {
        lock(&self.seen).told_to_go
    }

    /// How many requests have ended like this.
    pub(crate) fn ended(&self, how: Ended) -> usize {
        let seen = lock(&self.seen);
        seen.ended.values().filter(|ended| **ended == how).count()
    }

    async fn send(&self, bytes: &[u8]) {
        // The server may have hung up.
        let _ = self.writer.lock().await.write_all(bytes).await;
    }

    /// Begins a request; `actor` says who asks. Nothing of its body is sent.
    pub(crate) async fn begin(&mut self, path: &str, actor: Option<&str>) -> u32 {
        let mut headers = header(":method", "POST");
        headers.extend(header(":scheme", "http"));
        headers.extend(header(":path", path));
        headers.extend(header(":authority", "localhost"));
        headers.extend(header("content-type", "application/grpc"));
        headers.extend(header("te", "trailers"));
        headers.extend(
            actor
                .map(|actor| header("planledger-actor", actor))
                .unwrap_or_default(),
        );
        let stream = self.next;
        self.next += 2;
        self.send(&frame(HEADERS, END_HEADERS, stream, &headers))
            .await;
        stream
    }

    /// Sends some of the body of a request that was begun.
    pub(crate) async fn go_on(&self, stream: u32, body: &[u8]) {
        let frames: Vec<u8> = body
            .chunks(16 << 10)
            .flat_map(|part| frame(DATA, 0, stream, part))
            .collect();
        self.send(&frames).await;
    }

    /// Sends a whole request with an empty message.
    pub(crate) async fn ask(&mut self, path: &str, actor: Option<&str>) -> u32 {
        let stream = self.begin(path, actor).await;
        self.send(&frame(DATA, END_STREAM, stream, EMPTY)).await;
        stream
    }

    /// Waits until the server has said how much it takes of all requests together.
    pub(crate) async fn settled(&self) {
        let began = Instant::now();
        while !lock(&self.seen).widened {
            assert!(began.elapsed() < PATIENCE, "the server begins in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What becomes of a request; `None` if the server hangs up.
    pub(crate) async fn wait(&self, stream: u32) -> Option<Ended> {
        let began = Instant::now();
        loop {
            {
                let seen = lock(&self.seen);
                if let Some(ended) = seen.ended.get(&stream) {
                    return Some(*ended);
                }
                if seen.over {
                    return None;
                }
            }
            assert!(began.elapsed() < PATIENCE, "an answer in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Reads what the server sends until it hangs up.
async fn pump(
    mut reader: OwnedReadHalf,
    writer: Arc<tokio::sync::Mutex<OwnedWriteHalf>>,
    seen: Arc<Mutex<Seen>>,
) {
    while let Some((kind, flags, stream, payload)) = read(&mut reader).await {
        let reply = match kind {
            SETTINGS if flags & ACK == 0 => Some(frame(SETTINGS, ACK, 0, &[])),
            PING if flags & ACK == 0 => Some(frame(PING, ACK, 0, &payload)),
            _ => None,
        };
        if let Some(reply) = reply {
            let _ = writer.lock().await.write_all(&reply).await;
        }
        let mut seen = lock(&seen);
        match kind {
            WINDOW_UPDATE if stream == 0 => seen.widened = true,
            GO_AWAY => seen.told_to_go = true,
            RESET => {
                // A request that was refused before it ended is reset after its answer.
                seen.ended.entry(stream).or_insert(Ended::Reset);
            }
            DATA => *seen.bytes.entry(stream).or_default() += payload.len(),
            _ => {}
        }
        if [DATA, HEADERS].contains(&kind) && flags & END_STREAM != 0 {
            let ended = match seen.bytes.get(&stream) {
                Some(_) => Ended::Answered,
                None => Ended::Refused,
            };
            seen.ended.entry(stream).or_insert(ended);
        }
    }
    lock(&seen).over = true;
}

async fn read(reader: &mut OwnedReadHalf) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    reader.read_exact(&mut payload).await.ok()?;
    Some((kind, flags, u32::from_be_bytes(stream), payload))
}
