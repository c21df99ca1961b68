//! The end of holds whose deadline has come: nothing refuses it (R4).

use super::booking::id_beside;
use super::context::Context;
use super::desk::Desk;
use super::hold::settled;
use super::member_count::count_settled;
use super::posting::{post, scope_account};
use crate::answer::Answer;
use crate::command::{Command, Request};
use crate::draw::{Draw, Source};
use crate::home::Home;
use crate::operation::Entry;
use crate::origin::Origin;
use crate::reservation::{Reservation, ReservationState};

/// Ends every loaded hold whose deadline has come (R4). Nothing refuses that: the home would refuse everything.
pub(crate) fn expire_due(home: &mut Home, context: &Context<'_>) {
    let is_due =
        |held: &&Reservation| held.state == ReservationState::Open && !held.is_live(context.now);
    let due: Vec<Reservation> = home.reservations.values().filter(is_due).cloned().collect();
    for held in due {
        let request = Request {
            id: id_beside(held.id),
            account: held.account.clone(),
            key: None,
            body_hash: [0; 32],
            command: Command::Sweep,
            origin: Origin {
                actor: Some("system".to_owned()),
                ..Origin::default()
            },
        };
        let mut desk = Desk {
            home,
            context: *context,
            request: &request,
        };
        expire(&mut desk, held);
    }
}

fn expire(desk: &mut Desk<'_>, held: Reservation) {
    let entries = give_back(desk, &held);
    let mut booking = desk.booking(Answer::Settled {
        state: ReservationState::Expired,
        late: false,
        balances: Vec::new(),
        elsewhere: None,
    });
    (booking.refers_to, booking.entries) = (Some(held.id), entries);
    let ended = Reservation {
        state: ReservationState::Expired,
        ended_by: Some(desk.next_id()),
        ..held
    };
    desk.home.changes.reservations.insert(ended.id);
    desk.home.reservations.insert(ended.id, ended);
    desk.book(booking);
}

/// Gives back what a hold holds, of each draw at most what is held there: the auditor finds what is missing (I10).
fn give_back(desk: &mut Desk<'_>, held: &Reservation) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(held.draws.len());
    for draw in held.draws.iter().filter(|draw| !draw.bucket.is_member()) {
        let id = scope_account(desk.home, &held.account, draw.scope).clone();
        for bucket in std::iter::once(&draw.bucket).chain(&draw.further) {
            let found = desk.home.accounts.get(&id).and_then(|account| {
                let bucket = account.books.resolved(bucket);
                account.books.balance(&bucket)
            });
            let amount = found.map_or(0, |balance| balance.held.min(draw.amount));
            let part = Draw {
                amount,
                ..draw.clone()
            };
            let is_own = *bucket == draw.bucket;
            if found.is_some() || (is_own && draw.source == Source::Overage) {
                let posting = settled(&part, 0, &held.feature).further(bucket);
                entries.extend(post(desk, &id, posting));
            }
        }
    }
    entries.extend(count_settled(desk, held, &[]));
    entries
}
