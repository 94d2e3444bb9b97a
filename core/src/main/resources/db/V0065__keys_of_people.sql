-- A key is a project's, or its person's own: that one has no project, and opens machines wherever the person may enter them.
alter table ssh_key alter column project_id drop not null;
create unique index ssh_key_of_person on ssh_key (person_id, fingerprint) where project_id is null;
