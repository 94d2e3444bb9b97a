/**
 * The one database: PostgreSQL, ours or yours.
 *
 * <p>Promises that a transaction is whole or nothing, that what runs after a commit runs only after
 * a commit, and that a database that is away is told from a statement that is wrong. The only
 * package that knows JDBC. Start at {@link gpuaas.db.Database}.
 */
@NullMarked
package gpuaas.db;

import org.jspecify.annotations.NullMarked;
