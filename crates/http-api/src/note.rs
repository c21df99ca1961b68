//! What a write is about, and why: booked with the operation, looked at by no rule.

use api_types::Label;

/// What a write is about, and why.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) resource_type: Option<Label>,
    pub(crate) resource_id: Option<Label>,
    pub(crate) reason: Option<Label>,
}

impl Note {
    pub(crate) fn reason(reason: Option<Label>) -> Self {
        Self {
            reason,
            ..Self::default()
        }
    }
}
