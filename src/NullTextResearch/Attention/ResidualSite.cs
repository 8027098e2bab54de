namespace NullTextResearch.Attention;

/// <summary>One residual block of a U-Net.</summary>
/// <param name="Path">Module path, as in the state dict: <c>up_blocks.1.resnets.1</c>.</param>
/// <param name="Stage">Part of the U-Net.</param>
/// <param name="Block">Block within the stage.</param>
/// <param name="Layer">Residual block within the block.</param>
/// <param name="Order">Position in the execution order of the residual blocks, from 0.</param>
public sealed record ResidualSite(string Path, UNetStage Stage, int Block, int Layer, int Order);
