//! What the server takes on, and how long it waits.

use std::time::Duration;

use crate::settings::limits as settings;

/// How many requests a server works on, how large they may be, and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. Further ones take the place of those on which nobody said who they are,
    /// or on which nothing is asked; if there are none, the server closes the new one at once.
    pub connections: usize,
    /// Connections at once from one address, or from one network of version 6 (64 bits).
    pub connections_of_address: usize,
    /// How long a TLS handshake may take, and then the first bytes of HTTP/2.
    pub handshake: Duration,
    /// How long it may take until a request has come on a connection whose sender is known.
    pub identify: Duration,
    /// How long nothing may be asked on a connection.
    pub idle: Duration,
    /// Requests of all connections that the server works on at once, streams included. The server
    /// refuses more requests with RESOURCE_EXHAUSTED, reason OVERLOADED.
    pub requests: usize,
    /// Requests of one connection at once. A client waits before it sends more.
    pub requests_of_connection: u32,
    /// Requests of one caller that are not answered yet, or whose answers the client has not taken;
    /// streams are counted apart. More are refused with RATE_LIMITED.
    pub requests_of_caller: usize,
    /// Commands of one caller that wait for the disk. Streams wait for their turn beyond that, single
    /// requests for a while, and then they are refused with RATE_LIMITED. 8 KiB of a command count as
    /// one, and eight commands of a batch.
    pub commands_of_caller: usize,
    /// Most bytes of a request's message. It must be large, because a catalogue is one command.
    pub request_bytes: usize,
    /// Most bytes of an answer's message.
    pub answer_bytes: usize,
    /// How long the body of a request may take to arrive; in a stream, each of its messages.
    pub body: Duration,
    /// Bytes of all requests that the server keeps at once: what has arrived and is not answered yet.
    /// More is refused with OVERLOADED.
    pub kept_bytes: usize,
    /// The same of one caller.
    pub kept_bytes_of_caller: usize,
    /// Streams at once. More are refused with TOO_MANY_STREAMS.
    pub streams: usize,
    /// The same of one connection.
    pub streams_of_connection: usize,
    /// The same of one caller.
    pub streams_of_caller: usize,
    /// Bytes of all streams that wait for clients to read them; and as many of all other answers.
    pub unread_bytes: usize,
    /// The same of one stream. One answer may always wait, however large it is.
    pub unread_bytes_of_stream: usize,
    /// How long a client may take nothing of an answer. Then a stream ends with SLOW_READER, and any
    /// other answer is given up.
    pub reading: Duration,
    /// Requests of one person in a second on average, or of a system on behalf of one; ten times as
    /// many at once. More are refused with RATE_LIMITED. 0 for no limit.
    pub requests_per_second_of_person: u32,
    /// The same of one system that acts for itself.
    pub requests_per_second_of_system: u32,
    /// How long a read waits until the ledger has reached the read's minimum position.
    pub patience: Duration,
    /// After how long without an event the server sends a sign of life to clients that follow
    /// events. The API promises one within 15 seconds.
    pub heartbeat: Duration,
    /// How long requests may continue after the server is told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_of_address: 512,
            handshake: Duration::from_secs(10),
            identify: Duration::from_secs(15),
            idle: Duration::from_secs(300),
            requests: 2_048,
            requests_of_connection: 512,
            requests_of_caller: 256,
            commands_of_caller: 1_024,
            request_bytes: 16 << 20,
            answer_bytes: 64 << 20,
            body: Duration::from_secs(30),
            kept_bytes: 128 << 20,
            kept_bytes_of_caller: 32 << 20,
            streams: 1_536,
            streams_of_connection: 256,
            streams_of_caller: 128,
            unread_bytes: 128 << 20,
            unread_bytes_of_stream: 1 << 20,
            reading: Duration::from_secs(30),
            requests_per_second_of_person: 1_000,
            requests_per_second_of_system: 20_000,
            patience: Duration::from_secs(5),
            heartbeat: Duration::from_secs(10),
            grace: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// The limits with no more connections than the process may open files for.
    #[must_use]
    pub fn within(self, room: usize) -> Self {
        let connections = self.connections.min(room);
        let of_address = self.connections_of_address;
        Self {
            connections,
            connections_of_address: of_address.min(connections.div_ceil(2)),
            ..self
        }
    }

    /// These limits, but for those that settings name. At least one of everything is let in.
    #[must_use]
    pub fn with(self, named: &settings::Limits) -> Self {
        let count = |named: Option<usize>, usual: usize| named.unwrap_or(usual).max(1);
        let mib = |named: Option<usize>, usual: usize| {
            named.map_or(usual, |mib| mib.max(1).saturating_mul(1 << 20))
        };
        let seconds = |named: Option<u64>, usual: Duration| {
            named.map_or(usual, |seconds| Duration::from_secs(seconds.max(1)))
        };
        let of_person = named.requests_per_second_of_person;
        let of_system = named.requests_per_second_of_system;
        Self {
            connections: count(named.connections, self.connections),
            connections_of_address: count(
                named.connections_of_address,
                self.connections_of_address,
            ),
            handshake: seconds(named.handshake_seconds, self.handshake),
            identify: seconds(named.identify_seconds, self.identify),
            idle: seconds(named.idle_seconds, self.idle),
            requests: count(named.requests, self.requests),
            requests_of_connection: named
                .requests_of_connection
                .unwrap_or(self.requests_of_connection)
                .max(1),
            requests_of_caller: count(named.requests_of_caller, self.requests_of_caller),
            commands_of_caller: count(named.commands_of_caller, self.commands_of_caller),
            request_bytes: mib(named.request_mib, self.request_bytes),
            answer_bytes: mib(named.answer_mib, self.answer_bytes),
            body: seconds(named.body_seconds, self.body),
            kept_bytes: mib(named.kept_mib, self.kept_bytes),
            kept_bytes_of_caller: mib(named.kept_mib_of_caller, self.kept_bytes_of_caller),
            streams: count(named.streams, self.streams),
            streams_of_connection: count(named.streams_of_connection, self.streams_of_connection),
            streams_of_caller: count(named.streams_of_caller, self.streams_of_caller),
            unread_bytes: mib(named.unread_mib, self.unread_bytes),
            unread_bytes_of_stream: mib(named.unread_mib_of_stream, self.unread_bytes_of_stream),
            reading: seconds(named.reading_seconds, self.reading),
            requests_per_second_of_person: of_person.unwrap_or(self.requests_per_second_of_person),
            requests_per_second_of_system: of_system.unwrap_or(self.requests_per_second_of_system),
            patience: seconds(named.patience_seconds, self.patience),
            heartbeat: self.heartbeat,
            grace: seconds(named.grace_seconds, self.grace),
        }
    }

    /// The limits without those of how often somebody may ask: for development mode, where nobody
    /// proves who they are.
    #[must_use]
    pub fn without_rates(self) -> Self {
        Self {
            requests_per_second_of_person: 0,
            requests_per_second_of_system: 0,
            ..self
        }
    }
}
