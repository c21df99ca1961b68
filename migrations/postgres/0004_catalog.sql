-- Every version of the catalog; the newest is in force.

create table catalogs (
    version bigint not null,
    document jsonb not null,
    actor text,
    at timestamptz not null,
    constraint catalogs_pkey primary key (version),
    constraint catalogs_version_check check (version > 0)
);
