//! Reads ids from the command line.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use planledger_core::ids::IdError;

/// Reads an id from an argument. The error never repeats the argument, because it may be a CPR
/// number.
#[derive(Clone)]
pub(super) struct Id<T>(PhantomData<T>);

/// A reader for ids of type `T`.
pub(super) const fn id<T>() -> Id<T> {
    Id(PhantomData)
}

impl<T> TypedValueParser for Id<T>
where
    T: FromStr<Err = IdError> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, Error> {
        let read = value.to_string_lossy().parse();
        read.map_err(|error: IdError| {
            let name = argument.map_or_else(|| "the id".to_owned(), ToString::to_string);
            Error::raw(ErrorKind::ValueValidation, format!("{name} {error}\n")).with_cmd(command)
        })
    }
}
