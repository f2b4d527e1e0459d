//! Sending and receiving.

use std::time::Instant;

use crossbeam_channel::{RecvError, SendError, TryRecvError, TrySendError};

use super::held::{Key, current};

/// The end of a channel at which something is sent.
pub(crate) struct Sender<T> {
    channel: crossbeam_channel::Sender<T>,
    end: End,
}

/// The end of a channel at which something is received.
pub(crate) struct Receiver<T> {
    channel: crossbeam_channel::Receiver<T>,
    end: End,
}

/// Tells the other end when this one goes. It is dropped after its channel.
#[derive(Clone)]
struct End(Key);

impl End {
    fn tell(&self) {
        if let Some(turn) = current() {
            turn.wake(self.0);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.tell();
    }
}

/// A channel for so many messages.
pub(crate) fn bounded<T>(many: usize) -> (Sender<T>, Receiver<T>) {
    of(crossbeam_channel::bounded(many))
}

/// A channel for any number of messages.
#[cfg(test)]
pub(crate) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    of(crossbeam_channel::unbounded())
}

fn of<T>(
    (sender, receiver): (crossbeam_channel::Sender<T>, crossbeam_channel::Receiver<T>),
) -> (Sender<T>, Receiver<T>) {
    let end = End(Key::of_channel());
    let sender = Sender {
        channel: sender,
        end: end.clone(),
    };
    let receiver = Receiver {
        channel: receiver,
        end,
    };
    (sender, receiver)
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            channel: self.channel.clone(),
            end: self.end.clone(),
        }
    }
}

impl<T> Sender<T> {
    /// Sends something. Waits while the channel is full.
    ///
    /// # Errors
    /// When nobody can receive it any more.
    pub(crate) fn send(&self, message: T) -> Result<(), SendError<T>> {
        let Some(turn) = current() else {
            return self.channel.send(message);
        };
        let mut message = message;
        loop {
            match self.channel.try_send(message) {
                Ok(()) => {
                    self.end.tell();
                    turn.give_way();
                    return Ok(());
                }
                Err(TrySendError::Full(again)) => message = again,
                Err(TrySendError::Disconnected(message)) => return Err(SendError(message)),
            }
            turn.wait(&[self.end.0], None);
        }
    }

    /// Sends something without waiting.
    ///
    /// # Errors
    /// When the channel is full, or nobody can receive it any more.
    pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let sent = self.channel.try_send(message);
        self.end.tell();
        sent
    }

    /// How many messages wait to be received.
    pub(crate) fn len(&self) -> usize {
        self.channel.len()
    }
}

impl<T> Receiver<T> {
    /// Receives something. Waits until there is something.
    ///
    /// # Errors
    /// When nobody can send any more.
    pub(crate) fn recv(&self) -> Result<T, RecvError> {
        let Some(turn) = current() else {
            return self.channel.recv();
        };
        turn.give_way();
        loop {
            match self.try_recv() {
                Ok(message) => return Ok(message),
                Err(TryRecvError::Disconnected) => return Err(RecvError),
                Err(TryRecvError::Empty) => drop(turn.wait(&[self.end.0], None)),
            }
        }
    }

    /// Receives something without waiting.
    ///
    /// # Errors
    /// When there is nothing.
    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        let received = self.channel.try_recv();
        self.end.tell();
        received
    }

    /// Whether nothing is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.channel.is_empty()
    }

    /// Whatever comes, until nobody can send any more.
    pub(crate) fn each(self) -> impl Iterator<Item = T> {
        std::iter::from_fn(move || self.recv().ok())
    }
}

/// What came first.
pub(crate) enum First<A, B> {
    /// Something in the first channel, or its end.
    One(Result<A, RecvError>),
    /// Something in the other channel, or its end.
    Other(Result<B, RecvError>),
    /// The alarm, or the instant.
    Alarm,
}

/// Waits for what comes first. Nothing comes of a channel or at an instant that is not given.
pub(crate) fn first_of<A, B>(
    one: &Receiver<A>,
    other: Option<&Receiver<B>>,
    alarm: &Receiver<()>,
    at: Option<Instant>,
) -> First<A, B> {
    let Some(turn) = current() else {
        let never = crossbeam_channel::never();
        let at = at.map_or_else(crossbeam_channel::never, crossbeam_channel::at);
        return crossbeam_channel::select! {
            recv(one.channel) -> came => First::One(came),
            recv(other.map_or(&never, |other| &other.channel)) -> came => First::Other(came),
            recv(alarm.channel) -> _ => First::Alarm,
            recv(at) -> _ => First::Alarm,
        };
    };
    let keys = [
        Some(one.end.0),
        Some(alarm.end.0),
        other.map(|other| other.end.0),
    ];
    let keys: Vec<_> = keys.into_iter().flatten().collect();
    turn.give_way();
    loop {
        // Of several that are there, any may be the first.
        let from = turn.below(3);
        for nth in 0..3 {
            match (from + nth) % 3 {
                0 => match one.try_recv() {
                    Ok(came) => return First::One(Ok(came)),
                    Err(TryRecvError::Disconnected) => return First::One(Err(RecvError)),
                    Err(TryRecvError::Empty) => {}
                },
                1 => match other.map(Receiver::try_recv) {
                    Some(Ok(came)) => return First::Other(Ok(came)),
                    Some(Err(TryRecvError::Disconnected)) => return First::Other(Err(RecvError)),
                    Some(Err(TryRecvError::Empty)) | None => {}
                },
                _ => match alarm.try_recv() {
                    Ok(()) | Err(TryRecvError::Disconnected) => return First::Alarm,
                    Err(TryRecvError::Empty) => {}
                },
            }
        }
        if turn.wait(&keys, at) {
            return First::Alarm;
        }
    }
}
