//! A subscription in words, for the answer of whatever changed it: what follows it, and what it drops (S5, S8).

use chrono::{DateTime, Utc};

use super::dropped::dropped;
use crate::instant::text;
use crate::quantity::Quantity;
use crate::terms::Subscription;

/// The subscription `next` in words, what follows it, and what it drops of the one that ran `before`.
pub(super) fn in_words(
    before: Option<&Subscription>,
    next: &Subscription,
    now: DateTime<Utc>,
) -> String {
    let mut parts = vec![span(next, now)];
    let follows: Vec<&Subscription> = next.chain().skip(1).collect();
    match follows.as_slice() {
        [] => {}
        [one] => parts.push(format!("then {}", span(one, now))),
        [.., last] => {
            let (count, last) = (follows.len(), span(last, now));
            parts.push(format!("{count} periods follow, the last {last}"));
        }
    }
    if let Some(change) = next.scheduled_change() {
        let is_change = |one: &&Subscription| one.plan == change.plan && one.starts_at == change.at;
        if !follows.iter().any(is_change) {
            parts.push(format!("{} from {}", change.plan, text(&change.at)));
        }
    }
    if let Some(end) = next.canceled_at() {
        parts.push(format!("canceled, ends at {}", text(&end)));
    } else if let Some(end) = next.ends_for_good_at().filter(|end| *end <= now) {
        parts.push(format!("ended at {} already", text(&end)));
    }
    if let Some(before) = before {
        let lost = dropped(before, next, now);
        parts.extend(lost.iter().map(ToString::to_string));
    }
    parts.join("; ")
}

fn span(held: &Subscription, now: DateTime<Utc>) -> String {
    let (plan, starts_at) = (&held.plan, text(&held.starts_at));
    let ends_at = text(&end_of(held, now));
    if held.seats == Quantity::ONE {
        return format!("{plan} from {starts_at} to {ends_at}");
    }
    let seats = held.seats;
    format!("{plan} with {seats} seats from {starts_at} to {ends_at}")
}

/// When it makes room for what follows, or else its period ends that runs or comes.
fn end_of(held: &Subscription, now: DateTime<Utc>) -> DateTime<Utc> {
    let follows_at = held.upcoming.as_ref().map(|next| next.starts_at);
    let at = match follows_at {
        Some(follows_at) if held.renews => follows_at,
        Some(_) | None => now,
    };
    let period = held.period(at.max(held.starts_at));
    let ends_at = period.ends_at.filter(|end| held.starts_at < *end);
    ends_at.unwrap_or(held.ends_at)
}
