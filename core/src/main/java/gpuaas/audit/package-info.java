/**
 * Who did what, in the transaction that did it.
 *
 * <p>Promises that a privileged change and its row stand or fall together, and that rows are only
 * ever added. Start at {@link gpuaas.audit.AuditStore}.
 */
@NullMarked
package gpuaas.audit;

import org.jspecify.annotations.NullMarked;
