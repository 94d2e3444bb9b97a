/**
 * TensorDock: a market of virtual machines, rented by the hour at places that have GPUs left.
 *
 * <p>Promises the same as every market here: one machine for one tag, never more than was agreed,
 * and gone is not the same as unheard of. Start at {@link gpuaas.tensordock.TensordockClient};
 * {@link gpuaas.tensordock.TensordockApiSim} is the market to try it with.
 */
@NullMarked
package gpuaas.tensordock;

import org.jspecify.annotations.NullMarked;
