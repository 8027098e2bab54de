namespace NullTextResearch.Perception;

/// <summary>Network whose features <see cref="LpipsModel"/> compares.</summary>
public enum LpipsBackbone
{
    /// <summary>AlexNet: five layers, fast; the authors' choice for measuring.</summary>
    Alex,

    /// <summary>VGG with 16 layers: five layers, nearest to what is used as a training loss.</summary>
    Vgg,

    /// <summary>SqueezeNet 1.1: seven layers, small; what PIE-Bench measures with.</summary>
    Squeeze,
}
