package gpuaas.identity;

import gpuaas.base.Role;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * The scope that resources live in, as somebody sees it.
 *
 * @param slug its name in commands; one of a kind in its tenant
 * @param role what the one who looks is there, by themselves or through the tenant
 */
public record Project(
    UUID id, UUID tenant, String slug, String name, Instant madeAt, Optional<Role> role) {}
