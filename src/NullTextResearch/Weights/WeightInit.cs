namespace NullTextResearch.Weights;

/// <summary>How a weight is initialised if it is not loaded (training from scratch).</summary>
public enum WeightInit
{
    /// <summary>Uniform with bound 1/sqrt(fan in), PyTorch's default for linear and convolution layers.</summary>
    FanIn,

    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>Ones (gain of a normalisation).</summary>
    Ones,

    /// <summary>Normal with standard deviation 0.02 (embeddings).</summary>
    Normal002,

    /// <summary>0, 1, 2, ... (the integer buffer position_ids).</summary>
    Range,
}
