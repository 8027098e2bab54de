namespace NullTextResearch.Diffusion;

/// <summary>What a network predicts.</summary>
public enum PredictionType
{
    /// <summary>The noise, epsilon (Stable Diffusion 1.x, 2.x base).</summary>
    Epsilon,

    /// <summary>The velocity v = sqrt(alphaBar) epsilon - sqrt(1 - alphaBar) z_0 (Stable Diffusion 2.x at 768 pixels). Salimans and Ho 2022.</summary>
    Velocity,
}
