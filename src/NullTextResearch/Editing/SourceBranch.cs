namespace NullTextResearch.Editing;

/// <summary>How the source branch runs.</summary>
public enum SourceBranch
{
    /// <summary>In one batch with the targets, as in the released code. Kernels may round differently at other batch sizes, so the
    /// source equals a reconstruction without targets only up to rounding (measured: 5e-7 of the latents' range after 5 float32 steps
    /// of a small network).</summary>
    Batched,

    /// <summary>
    /// By itself, with the tensor shapes of a plain reconstruction, which it then matches bit for bit; its attention is passed on to the targets. Two smaller
    /// network calls per step instead of one.
    /// </summary>
    Alone,
}
