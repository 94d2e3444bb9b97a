-- Who somebody is at an issuer that vouches for them: names change there, subjects do not.
alter table person add column subject text check (length(subject) between 1 and 255);
create unique index person_by_subject on person (issuer, subject) where subject is not null;

-- Roles that follow from a group at the issuer go with it; those that people gave stay.
alter table tenant_member add column by_group boolean not null default false;
