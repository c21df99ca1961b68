//! Why a line was refused.

use quota_core::answer::Rejection;

use super::kind::Kind;

/// Why a line was refused: nothing of it was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The field at fault, if it is one.
    pub(crate) field: Option<String>,
    /// What is wrong.
    pub(crate) sentence: String,
}

impl Refusal {
    /// A field has a value that it cannot have.
    pub(crate) fn of(field: &str, sentence: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            sentence: sentence.into(),
        }
    }

    /// The line as a whole is wrong.
    pub(crate) fn whole(sentence: impl Into<String>) -> Self {
        Self {
            field: None,
            sentence: sentence.into(),
        }
    }

    /// The engine rejected what a line of this kind asks.
    pub(crate) fn rejected(kind: Kind, rejection: &Rejection) -> Self {
        let sentence = rejection.to_string();
        if *rejection == Rejection::UnknownAccount {
            let next = "its `user` or `org` line must come first";
            return Self::of(kind.account_field(), format!("{sentence}: {next}"));
        }
        if *rejection == Rejection::UnknownOrg {
            let next = "its line must come before those of its members";
            return Self::of("org", format!("{sentence}: {next}"));
        }
        let field = match (kind, rejection.field()) {
            (Kind::Credits, Some("grant")) | (Kind::Token, Some("token")) => Some("id"),
            (_, field) => field,
        };
        Self {
            field: field.map(str::to_owned),
            sentence,
        }
    }
}
