//! Tokens are created, changed and revoked (T2, U7).

use chrono::{DateTime, Utc};

use super::closing::close;
use super::desk::Desk;
use super::moves::zero;
use super::outcome::Outcome;
use super::reopening::reopen;
use crate::amount::Limit;
use crate::answer::Rejection;
use crate::balance::Bucket;
use crate::change::Change;
use crate::command::{Presence, PutToken, RevokeToken, TOKENS_MAX};
use crate::home::Account;
use crate::ids::{AccountKind, TokenId};
use crate::instant::text;
use crate::operation::Entry;
use crate::terms::{CapSpan, Token, new_token_cap};

/// Creates or changes a token.
pub(crate) fn put_token(desk: &mut Desk<'_>, asked: &PutToken) -> Result<Outcome, Rejection> {
    if desk.request.account.kind() != AccountKind::User {
        return Err(Rejection::WrongKind { field: "token" });
    }
    desk.context.must_be_later("expires_at", asked.expires_at)?;
    let (id, now) = (&asked.token, desk.context.now);
    let account = desk.account()?;
    let known = account.terms.tokens.get(id).cloned();
    let token = next_token(account, known.as_ref(), (asked, now))?;
    if known.as_ref() == Some(&token) {
        return Ok(desk.unchanged());
    }
    if known.is_none() {
        make_room(desk)?;
    }
    let detail = in_words(id, &token);
    let begins = known
        .as_ref()
        .is_none_or(|known| token.per.is_some() && known.per != token.per);
    let account = desk.account_mut()?;
    account.terms.tokens.insert(id.clone(), token.clone());
    let entries = count_by(desk, (id, &token), begins)?;
    let change = if known.is_some() {
        Change::TokenChanged
    } else {
        Change::TokenCreated
    };
    Ok(desk.book_and_announce(change, Some(detail), entries))
}

/// Has what counts the token's use go by its cap. A token that is new, or whose cap has another cadence, begins a new count, also
/// where one of the same name was closed: of an earlier token of that id, or of another cadence (T3).
fn count_by(
    desk: &mut Desk<'_>,
    (id, token): (&TokenId, &Token),
    begins: bool,
) -> Result<Vec<Entry>, Rejection> {
    let now = desk.context.now;
    let bucket = token.bucket(id, now);
    let mut entries = Vec::new();
    if begins {
        reopen(desk, &bucket)?;
        entries = zero(desk, vec![(bucket.clone(), None)])?;
    }
    if let Some(balance) = desk.account_mut()?.books.balance_mut(&bucket) {
        balance.granted = token.cap;
        balance.ends_at = token.window(now).and_then(|window| window.ends_at);
    }
    Ok(entries)
}

/// A token with its cap, when that becomes whole again, and its end.
fn in_words(id: &TokenId, token: &Token) -> String {
    let mut words = format!("{id}: cap {}", token.cap);
    if token.cap != Limit::Unlimited {
        let per = token.per.map_or(CapSpan::Lifetime, CapSpan::Each);
        words = format!("{words}, per {per}");
    }
    if let Some(expires_at) = token.expires_at {
        words = format!("{words}, until {}", text(&expires_at));
    }
    words
}

/// The token as it is to be.
fn next_token(
    account: &Account,
    known: Option<&Token>,
    (asked, now): (&PutToken, DateTime<Utc>),
) -> Result<Token, Rejection> {
    let id = &asked.token;
    match (known, asked.presence) {
        (Some(_), Presence::New) => Err(Rejection::TokenExists(id.clone())),
        (None, Presence::Existing) => Err(Rejection::UnknownToken(id.clone())),
        (Some(known), Presence::Existing | Presence::Any) if known.revoked_at.is_some() => {
            Err(Rejection::TokenRevoked(id.clone()))
        }
        (Some(known), Presence::Existing | Presence::Any) => Ok(Token {
            cap: asked.cap.unwrap_or(known.cap),
            per: asked.per.map_or(known.per, CapSpan::cadence),
            // Of an old token it is not known when it was made: its windows are counted from its change on.
            made_at: known.made_at.or(asked.per.map(|_| now)),
            expires_at: asked.expires_at.or(known.expires_at),
            revoked_at: None,
        }),
        (None, Presence::New | Presence::Any) => Ok(Token {
            per: asked.per.and_then(CapSpan::cadence),
            expires_at: asked.expires_at,
            ..Token::new(
                new_token_cap(asked.cap, account.terms.unlimited).ok_or(Rejection::CapRequired)?,
                now,
            )
        }),
    }
}

/// Forgets tokens that ended when there are many; a token that is not known is denied as a revoked one is.
fn make_room(desk: &mut Desk<'_>) -> Result<(), Rejection> {
    let now = desk.context.now;
    let account = desk.account()?;
    if account.terms.tokens.len() < TOKENS_MAX {
        return Ok(());
    }
    let has_come = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
    let holds = |id: &TokenId| {
        let mut balances = account.books.balances.iter();
        balances.any(|balance| balance.held != 0 && counts_for(&balance.bucket, id))
    };
    let ended: Vec<TokenId> = account
        .terms
        .tokens
        .iter()
        .filter(|(id, token)| {
            (has_come(token.revoked_at) || has_come(token.expires_at)) && !holds(id)
        })
        .map(|(id, _)| id.clone())
        .collect();
    if ended.is_empty() {
        return Err(Rejection::Full {
            field: "token",
            most: TOKENS_MAX,
            next: "revoke one first",
        });
    }
    for id in ended {
        let account = desk.account_mut()?;
        account.terms.tokens.remove(&id);
        let buckets = account.books.balances.iter().map(|balance| &balance.bucket);
        let buckets: Vec<Bucket> = buckets
            .filter(|bucket| counts_for(bucket, &id))
            .cloned()
            .collect();
        for bucket in buckets {
            close(desk.home, &desk.request.account, &bucket);
        }
    }
    Ok(())
}

/// Whether it counts what is used with this token.
fn counts_for(bucket: &Bucket, token: &TokenId) -> bool {
    match bucket {
        Bucket::Token(id) | Bucket::TokenWindow(id, _) => id == token,
        Bucket::Window(..)
        | Bucket::Further(..)
        | Bucket::Standing(_)
        | Bucket::Tracked(..)
        | Bucket::Trial(_)
        | Bucket::Grant(_)
        | Bucket::Boost(..)
        | Bucket::Room(_)
        | Bucket::Member(..)
        | Bucket::OnDemand(..) => false,
    }
}

/// Revokes a token; it is denied from the next request on (T2).
pub(crate) fn revoke_token(desk: &mut Desk<'_>, asked: &RevokeToken) -> Result<Outcome, Rejection> {
    let (id, now) = (&asked.token, desk.context.now);
    let account = desk.account_mut()?;
    let token = account.terms.tokens.get_mut(id);
    let token = token.ok_or_else(|| Rejection::UnknownToken(id.clone()))?;
    if token.revoked_at.is_some() {
        return Ok(desk.unchanged());
    }
    token.revoked_at = Some(now);
    Ok(desk.book_and_announce(Change::TokenRevoked, Some(id.to_string()), Vec::new()))
}
