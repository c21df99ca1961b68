-- The ledger: one row an operation, never changed. A life is what lies between a home's beginning and end: a user that leaves its org
-- is a home once more and begins again at sequence 1. An id ends with its operation's sequence, and is found by that.
create table operations (
    id blob not null,
    home text not null,
    life integer not null,
    sequence integer not null,
    account text not null,
    at integer not null,
    kind text not null,
    key text,
    body_hash blob not null,
    refers_to blob,
    entries text not null,
    answer text not null,
    origin text,
    constraint operations_id_is_a_uuid check (length(id) = 16),
    constraint operations_sequence_counts check (sequence > 0 and life > 0)
) strict;

create unique index operations_by_sequence on operations (home, life, sequence);
-- The home's own account is left out: it is there already, and short rows make a page serve longer.
create unique index operations_by_key on operations (home, iif(account = home, '', account), key)
where key is not null;
create index operations_by_reference on operations (home, refers_to) where kind = 'refund';

create trigger operations_are_not_changed before update on operations
begin
    select raise(abort, 'operations_are_kept: the ledger is append-only');
end;

create trigger operations_are_not_removed before delete on operations
begin
    select raise(abort, 'operations_are_kept: the ledger is append-only');
end;

-- Balances that left the books of their account: kept for reports and refunds.
create table closed_balances (
    home text not null,
    account text not null,
    bucket text not null,
    balance text not null,
    constraint closed_balances_key primary key (home, account, bucket)
) strict;
