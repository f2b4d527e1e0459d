//! Given, when, then.

use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::world::Context;
use planledger_core::domain::{
    Aggregate, Command, Decision, Event, Field, Reason, Refusal, RosterFact,
};
use planledger_core::ids::StreamId;

use planledger_fixtures::{ActsAs, Fact, IntoCommand, IntoEvent, Memory};

/// What has happened.
#[derive(Clone)]
pub(crate) struct Given(Memory);

/// What was asked, and the answer.
pub(crate) struct When {
    memory: Memory,
    command: Command,
    answer: Result<Decision, Refusal>,
    after: Memory,
    /// The row of a table of [`refusals`] that this is.
    row: &'static str,
}

/// A table of refusals. A row says what is given, who asks for which command, the reason it is
/// refused for, and the field at fault if there is one. Gives the reasons.
///
/// A macro, so that a row that fails is named by its own words.
macro_rules! refusals {
    ($($given:expr, $actor:expr, $command:expr => $reason:ident $(at $field:ident)?;)*) => {
        vec![$($given
            .when($actor, $command)
            .in_row(stringify!($given, $actor, $command => $reason $(at $field)?))
            .then_refused(
                planledger_core::domain::Reason::$reason,
                None$(.or(Some(planledger_core::domain::Field::$field)))?,
            )),*]
    };
}
pub(crate) use refusals;

pub(crate) fn given(facts: Vec<Fact>) -> Given {
    Given(Memory::of(facts))
}

impl Given {
    pub(crate) fn and(mut self, fact: impl Into<Fact>) -> Self {
        self.0.record(fact.into());
        self
    }

    pub(crate) fn when(self, actor: impl ActsAs, command: impl IntoCommand) -> When {
        let context = Context::new(actor.actor(), Memory::NOW);
        self.asked(context, command.into_command())
    }

    /// Somebody asks for somebody else.
    pub(crate) fn when_for(
        self,
        actor: impl ActsAs,
        on_behalf_of: impl ActsAs,
        command: impl IntoCommand,
    ) -> When {
        let context = Context {
            actor: actor.actor(),
            on_behalf_of: Some(on_behalf_of.actor()),
            at: Memory::NOW,
        };
        self.asked(context, command.into_command())
    }

    fn asked(self, context: Context, command: Command) -> When {
        let Self(memory) = self;
        let mut after = memory.clone();
        let answer = after.execute_in(&context, &command);
        When {
            memory,
            command,
            answer,
            after,
            row: "",
        }
    }

    /// What a stream has become.
    pub(crate) fn state(&self, stream: impl Into<StreamId>) -> &Aggregate {
        self.0.state(stream).unwrap()
    }

    pub(crate) fn world(self) -> Memory {
        self.0
    }
}

impl When {
    pub(crate) fn in_row(self, row: &'static str) -> Self {
        Self { row, ..self }
    }

    /// Exactly these events are recorded, in the stream that the command is about.
    #[track_caller]
    pub(crate) fn then<E: IntoEvent>(self, events: impl IntoIterator<Item = E>) -> Given {
        let expected: Vec<Event> = events.into_iter().map(E::into_event).collect();
        match self.answer {
            Ok(Decision {
                stream,
                events,
                kept,
                ..
            }) => {
                assert_eq!(events, expected);
                assert_eq!(kept, []);
                assert_eq!(stream, self.command.stream());
            }
            Err(refusal) => panic!("refused: {refusal}"),
        }
        Given(self.after)
    }

    /// It is granted, but there is nothing to change.
    #[track_caller]
    pub(crate) fn then_nothing(self) -> Given {
        let stream = self.command.stream();
        self.then_answered_by(stream)
    }

    /// It is granted without an event, and the receipt names this stream.
    #[track_caller]
    pub(crate) fn then_answered_by(self, stream: impl Into<StreamId>) -> Given {
        let expected = Decision {
            stream: stream.into(),
            events: Vec::new(),
            kept: Vec::new(),
            dropped: Vec::new(),
        };
        assert_eq!(self.answer, Ok(expected));
        Given(self.after)
    }

    /// An import is granted with exactly these events, and leaves these facts alone, because a person
    /// decided them.
    #[track_caller]
    pub(crate) fn then_keeping<E: IntoEvent>(
        self,
        facts: impl IntoIterator<Item = RosterFact>,
        events: impl IntoIterator<Item = E>,
    ) -> Given {
        let dropped = self.answer.as_ref().map(|answer| answer.dropped.clone());
        let expected = Decision {
            stream: self.command.stream(),
            events: events.into_iter().map(E::into_event).collect(),
            kept: facts.into_iter().collect(),
            dropped: dropped.unwrap_or_default(),
        };
        assert_eq!(self.answer, Ok(expected));
        Given(self.after)
    }

    /// An import is granted, and these are the links that it ends.
    #[track_caller]
    pub(crate) fn then_dropping(self, facts: impl IntoIterator<Item = RosterFact>) -> Given {
        let dropped = self.answer.map(|answer| answer.dropped);
        assert_eq!(dropped, Ok(facts.into_iter().collect()));
        Given(self.after)
    }

    /// It is refused for this reason, and this field of the command is at fault. Gives the reason,
    /// so that [`crate::domain::reasons`] knows which have been seen.
    #[track_caller]
    pub(crate) fn then_refused(self, reason: Reason, field: Option<Field>) -> Reason {
        let row = format!("{} {:?}", self.row, self.command);
        let refusal = match self.answer {
            Ok(decision) => panic!("granted: {:?} {row}", decision.events),
            Err(refusal) => refusal,
        };
        assert_eq!((refusal.reason, refusal.field), (reason, field), "{row}");
        assert_is_fit_for_callers(&refusal, &self.memory);
        assert_eq!(self.after.recorded(), self.memory.recorded());
        reason
    }
}

/// A refusal says something, and nothing about anybody.
#[track_caller]
fn assert_is_fit_for_callers(refusal: &Refusal, memory: &Memory) {
    assert!(refusal.message.len() > 10, "{}", refusal.message);
    let said = format!("{} {:?}", refusal.message, refusal.details);
    for stream in memory.streams() {
        if let Some(Aggregate::Person(person)) = memory.state(stream) {
            assert!(!said.contains(person.name.as_str()), "{said}");
        }
    }
}

/// The same plan command, of the plan that [`planledger_fixtures::school::a_plan`] opens.
pub(crate) fn plan(command: PlanCommand) -> Command {
    Command::Plan(planledger_fixtures::school::PLAN, command)
}
