//! What `load` read, put together: one home for each asked for.

use std::collections::HashMap;

use quota_core::home::{Home, Referred};
use quota_core::operation::Operation;
use quota_core::ports::{AccountRow, LoadQuery, Loaded, StoreError};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::corrupt;
use crate::row_kind::RowKind;
use crate::values::Reading;
use crate::{accounts, closed_balances, operations, reservations};

/// Puts the rows together, in the order of the query's homes.
pub(crate) fn loaded(query: &LoadQuery, rows: &[PgRow]) -> Result<Loaded, StoreError> {
    let homes = query
        .homes
        .iter()
        .map(|asked| Home::empty(asked.home.clone()));
    let mut gathered = Gathered {
        at: query
            .homes
            .iter()
            .map(|asked| asked.home.as_str())
            .zip(0..)
            .collect(),
        catalog_version: None,
        homes: homes.collect(),
        earlier: Vec::new(),
    };
    let mut late = Vec::new();
    for row in rows {
        match RowKind::of(row)? {
            RowKind::Catalog => {
                let version = Reading::new(row, "catalogs", "max").count("number")?;
                // Statements that run side by side may see two: what was decided on the older one is refused.
                let older = gathered
                    .catalog_version
                    .map_or(version, |one| one.min(version));
                gathered.catalog_version = Some(older);
            }
            RowKind::Account => gathered.take_account(row)?,
            RowKind::Earlier => gathered
                .earlier
                .push(operations::read(row, "number", "document")?),
            RowKind::Reservation => gathered.take_reservation(row)?,
            RowKind::Referred => gathered.take_referred(row)?,
            RowKind::ClosedAsked => {
                let closed = closed_balances::read(row, "document")?;
                gathered.home(row)?.closed.push(closed);
            }
            // These belong to a referred operation, which may come after them.
            kind @ (RowKind::Refund | RowKind::Closed) => late.push((kind, row)),
        }
    }
    for (kind, row) in late {
        gathered.take_late(kind, row)?;
    }
    Ok(Loaded {
        catalog_version: gathered.catalog_version.unwrap_or(0),
        homes: gathered.homes,
        earlier: gathered.earlier,
    })
}

struct Gathered<'q> {
    at: HashMap<&'q str, usize>,
    catalog_version: Option<u64>,
    homes: Vec<Home>,
    earlier: Vec<Operation>,
}

impl Gathered<'_> {
    fn home(&mut self, row: &PgRow) -> Result<&mut Home, StoreError> {
        let name: &str = Reading::new(row, "load", "?").get("home")?;
        let at = self.at.get(name).copied();
        at.and_then(|at| self.homes.get_mut(at))
            .ok_or_else(|| corrupt("load", name, "was not asked for"))
    }

    fn take_account(&mut self, row: &PgRow) -> Result<(), StoreError> {
        let AccountRow { id, account, .. } = accounts::read(row, "document")?;
        let reading = Reading::new(row, "accounts", id.as_str());
        let (version, hold_before) = (reading.count("number")?, reading.get("at")?);
        let home = self.home(row)?;
        if id == home.id {
            home.version = version;
            home.hold_before = hold_before;
        }
        home.accounts.insert(id, account.into());
        Ok(())
    }

    fn take_reservation(&mut self, row: &PgRow) -> Result<(), StoreError> {
        let reservation = reservations::read(row)?;
        self.home(row)?
            .reservations
            .insert(reservation.id, reservation);
        Ok(())
    }

    fn take_referred(&mut self, row: &PgRow) -> Result<(), StoreError> {
        let operation = operations::read(row, "number", "document")?;
        let referred = Referred {
            operation,
            refunds: Vec::new(),
            closed: Vec::new(),
        };
        let id = referred.operation.id;
        self.home(row)?.referred.insert(id, referred);
        Ok(())
    }

    fn take_late(&mut self, kind: RowKind, row: &PgRow) -> Result<(), StoreError> {
        let home = self.home(row)?;
        if kind == RowKind::Refund {
            let refund = operations::read(row, "number", "document")?;
            let about = refund.refers_to.and_then(|id| home.referred.get_mut(&id));
            if let Some(referred) = about {
                referred.refunds.push(refund);
                referred.refunds.sort_by_key(|refund| refund.sequence);
            }
            return Ok(());
        }
        let closed = closed_balances::read(row, "document")?;
        let about: Uuid =
            Reading::new(row, "closed_balances", closed.account.as_str()).get("id")?;
        if let Some(referred) = home.referred.get_mut(&about) {
            referred.closed.push(closed);
        }
        Ok(())
    }
}
