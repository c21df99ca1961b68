//! Where webhooks go, and how they are signed.

use super::shape::Shape;

/// Which clock webhooks are signed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedBy {
    /// The fake's own: for engines whose clock is set by the test too.
    #[default]
    FakeClock,
    /// This machine's: for programs that run by it.
    MachineClock,
}

/// Where webhooks go.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address.
    pub url: String,
    /// What they are signed with: two while the secret is being changed.
    pub secrets: Vec<String>,
    /// The version that the endpoint was made with.
    pub shape: Shape,
    /// Whether it gets ids only.
    pub is_thin: bool,
    /// By which clock they are signed.
    pub signed_by: SignedBy,
    /// The account that its events say they are of, as those of a platform's other accounts do.
    pub account: Option<String>,
}

impl Endpoint {
    /// An endpoint of today, with one secret.
    pub fn new(url: &str, secret: &str) -> Self {
        Self {
            url: url.to_owned(),
            secrets: vec![secret.to_owned()],
            shape: Shape::New,
            is_thin: false,
            signed_by: SignedBy::FakeClock,
            account: None,
        }
    }
}
