-- Every catalog that was applied; the one with the highest version is in force.
create table catalogs (
    version integer not null,
    catalog text not null,
    actor text,
    at integer not null,
    constraint catalogs_key primary key (version)
) strict;
