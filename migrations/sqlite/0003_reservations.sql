-- Holds, open and ended.
create table reservations (
    home text not null,
    id blob not null,
    account text not null,
    token text,
    feature text not null,
    amount integer not null,
    draws text not null,
    expires_at integer not null,
    state text not null,
    ended_by blob,
    late_commit blob,
    constraint reservations_key primary key (home, id),
    constraint reservations_amount_counts check (amount >= 0),
    constraint reservations_state_is_known check (state in ('open', 'committed', 'released', 'expired'))
) strict;

create index reservations_open on reservations (home, expires_at) where state = 'open';
create index reservations_due on reservations (expires_at) where state = 'open';
create index reservations_ended on reservations (expires_at) where state <> 'open';
