-- People whom somebody else vouches for; '' is ourselves. The same name of another issuer is somebody else.
alter table person add column issuer text not null default '';
alter table person drop constraint person_username_key;
alter table person add constraint person_by_issuer unique (issuer, username);
alter table person drop constraint person_username_check;
alter table person add constraint person_username_form check (
  length(username) between 1 and 255 and (issuer <> '' or username ~ '^[a-z0-9][a-z0-9._@-]{0,126}$'));
-- People by number, for dialects that call them so.
alter table person add column number bigint generated always as identity unique;

-- Numbers of requests that are promised and done later.
create sequence message_number;

-- Whose public keys open a lease by their name elsewhere, and what their keys were when last looked at.
-- Retention: with its lease.
create table lease_guest (
  lease_id   uuid not null references lease deferrable initially deferred, -- written at the end of the same transaction
  name       text not null check (length(name) between 1 and 255),
  owner      boolean not null,
  keys       text[] not null default '{}',
  problem    text not null default 'not fetched yet',
  added_at   timestamptz not null,
  fetched_at timestamptz,
  primary key (lease_id, name)
);
