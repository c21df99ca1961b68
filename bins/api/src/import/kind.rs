//! The types of lines.

use serde::Deserialize;

/// What a line is about: its `type`. In the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Org,
    User,
    Token,
    Customer,
    Subscription,
    Override,
    Usage,
    Credits,
    Payment,
}

impl Kind {
    /// Its word, as in the file.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::User => "user",
            Self::Token => "token",
            Self::Customer => "customer",
            Self::Subscription => "subscription",
            Self::Override => "override",
            Self::Usage => "usage",
            Self::Credits => "credits",
            Self::Payment => "payment",
        }
    }

    /// The field that names the account of such a line.
    pub(crate) fn account_field(self) -> &'static str {
        match self {
            Self::Org | Self::User => "id",
            Self::Token | Self::Usage => "user",
            Self::Customer
            | Self::Subscription
            | Self::Override
            | Self::Credits
            | Self::Payment => "account",
        }
    }
}
