package gpuaas.identity;

import gpuaas.base.Role;
import java.time.Instant;
import java.util.UUID;

/** Somebody who belongs to a tenant or a project, and what they are there. */
public record Member(UUID person, String username, String email, Role role, Instant since) {}
