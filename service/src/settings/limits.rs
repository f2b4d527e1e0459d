//! The table `[limits]`: what the server takes on, and how long it waits.

use serde::Deserialize;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        /// Limits that the settings name. The others keep their defaults.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct Limits {
            $($(#[$doc])* pub $name: Option<$type>,)*
        }

        impl Limits {
            /// The names of all of them, as they stand in a settings file.
            pub fn names() -> Vec<String> {
                vec![$(stringify!($name).replace('_', "-")),*]
            }
        }
    };
}

limits! {
    /// Connections at once.
    connections: usize;
    /// Connections at once from one address.
    connections_of_address: usize;
    /// Seconds that a TLS handshake may take, and then the first bytes of HTTP/2.
    handshake_seconds: u64;
    /// Seconds until a request must have come on a connection whose sender is known.
    identify_seconds: u64;
    /// Seconds that nothing may be asked on a connection.
    idle_seconds: u64;
    /// Requests at once, streams included.
    requests: usize;
    /// Requests at once of one connection.
    requests_of_connection: u32;
    /// Requests of one caller at once, streams apart.
    requests_of_caller: usize;
    /// Commands of one caller that wait for the disk.
    commands_of_caller: usize;
    /// MiB of a request.
    request_mib: usize;
    /// MiB of an answer.
    answer_mib: usize;
    /// Seconds that the body of a request may take to arrive.
    body_seconds: u64;
    /// MiB of requests that are kept at once.
    kept_mib: usize;
    /// MiB of requests of one caller that are kept at once.
    kept_mib_of_caller: usize;
    /// Streams at once.
    streams: usize;
    /// Streams at once of one connection.
    streams_of_connection: usize;
    /// Streams at once of one caller.
    streams_of_caller: usize;
    /// MiB of all streams that wait for clients.
    unread_mib: usize;
    /// MiB of one stream that wait for its client.
    unread_mib_of_stream: usize;
    /// Seconds that a client may read nothing of an answer.
    reading_seconds: u64;
    /// Requests of one person in a second on average; 0 for no limit.
    requests_per_second_of_person: u32;
    /// Requests of one system in a second on average; 0 for no limit.
    requests_per_second_of_system: u32;
    /// Seconds that a read waits for its minimum position.
    patience_seconds: u64;
    /// Seconds that requests may go on after the server is told to stop.
    grace_seconds: u64;
}
