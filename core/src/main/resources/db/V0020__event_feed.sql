-- The order in which events are told. `number` follows the order of writing, but rows commit out of order, so nobody
-- may read "all after this number". The relay gives out `position`, alone, in the order of commits: whoever has read up
-- to a position misses nothing (decision 10). Of one lease both follow the sequence.
-- Retention: kept, with the event.
alter table event
  add column number   bigint generated always as identity,
  add column position bigint;
create index event_unrelayed on event (number) where position is null;
create unique index event_position on event (position) where position is not null;
create index event_by_project on event (project_id, position) where position is not null;
