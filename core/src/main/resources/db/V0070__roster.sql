-- Somebody who was deleted: nothing is left of them but what their leases, entries and payments name them by.
alter table person add column deleted_at timestamptz;
create index person_by_age on person (made_at desc, id desc);
