package gpuaas.identity;

import gpuaas.base.Role;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** Roles by groups in the database. */
final class GroupRoleStore {

  private GroupRoleStore() {}

  static void apply(Tx tx, UUID person, GroupRoles.Given given, Instant now) {
    given
        .admin()
        .ifPresent(admin ->
            tx.update("update person set admin = :admin where id = :person and admin <> :admin")
                .bind("admin", admin)
                .bind("person", person)
                .execute());
    given.tenants().forEach((tenant, role) -> set(tx, tenant, person, role, now));
  }

  private static void set(Tx tx, UUID tenant, UUID person, Optional<Role> role, Instant now) {
    if (role.isEmpty()) {
      tx.update(
              "delete from tenant_member where tenant_id = :tenant and person_id = :person and"
                  + " by_group")
          .bind("tenant", tenant)
          .bind("person", person)
          .execute();
      return;
    }
    // A role that people gave stays; a tenant that is not there gives nothing.
    tx.update(
            """
            insert into tenant_member (tenant_id, person_id, role, made_at, by_group)
            select id, :person, :role, :now, true from tenant where id = :tenant
            on conflict (tenant_id, person_id) do update set role = excluded.role
              where tenant_member.by_group and tenant_member.role <> excluded.role
            """)
        .bind("tenant", tenant)
        .bind("person", person)
        .bind("role", role.get().text())
        .bind("now", now)
        .execute();
  }
}
