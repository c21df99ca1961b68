//! The rules themselves: values in, a value out.
//!
//! A consume goes through these, in this order:
//!
//! ```text
//! execute::execute             ends holds that are due (expire_holds::expire_due), picks the command
//!   spend::consume -> spend    all items, or none
//!     spend_item               one item:
//!       Context::question        who asks for what, of which accounts
//!       decide::draw             token, user, org: allowance::allowance, then funding::sources and split
//!       spend::take              posting::post_by for each draw: the balance, the ledger entry, share::count_share
//!       scope_balances           how the scopes stand after it
//!   desk.book                  the operation; a denial: refusal::first_refusal, then spend::denied
//! ```
//!
//! | group | modules |
//! | --- | --- |
//! | commands of use | `spend` (consume), `track`, `reserve`, `commit`, `release`, `extend`, `refund`, `capacity`, `reset` |
//! | commands about accounts | `accounts`, `members` (of an org), `overrides`, `member_limits`, `tokens`, `credits`, `purchases` (credits that were bought, and what came back), `boosts`, `spend_cap`, `top_ups` (packs that are bought by themselves) |
//! | commands about subscriptions | `subscribe`, `renew`, `change_plan`, `set_status`, `cancel` (and resume), `seats`, `addons`, `give_plan` (for a time), `sync` (what a provider says) |
//! | commands of jobs | `expire_subscription`, `close_windows`, `expiring` (credits that will be lost); a sweep is `expire_holds` |
//! | over two homes | `relocate` (a user moves), `former` (what happened before a move) |
//! | picking | `execute` (which rule a command is), `refunding` (what a refund is about) |
//! | deciding | `check`, `decide`, `member_limit` (what an org lets each member use), `drawing` (what sources give), `given` (flags and settings), `refusal` (of several items), `allowance`, `by_plan` and `held_plans` (what plan and add-ons say), `bound` (which limit a denial names, and until when), `counting` (windows of limits), `funding`, `wallet` (what grants come to together), `on_demand` (what is sold when all else is spent), `context` |
//! | posting | `desk`, `booking`, `outcome`, `posting`, `opening`, `share` and `charged`, `member_count` and `member_shares` (beside shares), `room` (of capacities, bought) |
//! | holds | `hold`, `settle`, `expire_holds`, `ending` |
//! | windows | `closing` (a balance is over), `closed` (which record of it counts), `moves` (what counts on in another window), `zones` (of the calendar, in another time zone), `reopening` (what was closed and counts again), `past` (the windows of an earlier instant), `records` (what the books tell of it) |
//! | answers | `scope_balances`, `shown` (windows), `had` (flags and settings), `entitlements`, `spending` (what is owed), `subscription_words`, `dropped` (by a change of subscription) |
//! | payments | `payment_news` (what is told of a payment, and what its row comes to) |
//! | codes | `codes` (what may be made, what may be redeemed when, and what it comes to) |
//! | trying, on a copy | `preview` (of a change), `offers` (what would end a denial), `trying` (of purchases) |

mod accounts;
mod addons;
pub mod allowance;
mod booking;
mod boosts;
pub mod bound;
mod by_plan;
mod cancel;
mod capacity;
mod change_plan;
mod charged;
pub mod check;
mod close_windows;
mod closed;
mod closing;
pub mod codes;
mod commit;
pub mod context;
mod counting;
mod credits;
pub mod decide;
mod desk;
mod drawing;
pub mod dropped;
pub mod ending;
pub mod entitlements;
pub mod execute;
mod expire_holds;
mod expire_subscription;
pub mod expiring;
mod extend;
pub mod fetched_payment;
pub mod former;
pub mod funding;
mod give_plan;
mod given;
pub mod had;
mod held_plans;
mod hold;
mod member_count;
pub mod member_limit;
mod member_limits;
mod member_shares;
mod members;
mod moves;
mod numbering;
pub mod offers;
pub mod on_demand;
mod opening;
pub mod outcome;
mod overrides;
mod past;
pub mod payment_news;
mod posting;
pub mod preview;
mod purchases;
mod records;
mod refund;
mod refunding;
mod refusal;
mod release;
mod relocate;
mod renew;
mod reopening;
mod reserve;
mod reset;
mod room;
pub mod scope_balances;
mod seats;
mod set_status;
mod settle;
pub mod share;
mod shown;
mod signs;
mod spend;
mod spend_cap;
pub mod spending;
mod subscribe;
mod subscription_words;
mod sync;
mod tokens;
pub mod top_ups;
mod track;
mod trying;
pub mod wallet;

pub use relocate::{closed_at_org, relocate};
mod zones;
