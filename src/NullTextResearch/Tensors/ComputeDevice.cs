using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>Devices by their names: cpu, cuda, cuda:N.</summary>
public static class ComputeDevice
{
    /// <summary>The device of a name, once libtorch is known to see it: named to libtorch first, a missing GPU is reported as a missing library.</summary>
    /// <param name="name">"cpu", "cuda" or "cuda:N".</param>
    /// <exception cref="ArgumentException">There is no such device, or this build of libtorch cannot use it.</exception>
    public static Device Parse(string name)
    {
        if (name == "cpu")
            return CPU;
        int index = 0;
        bool isCuda =
            name == "cuda"
            || (
                name.StartsWith("cuda:", StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(5), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out index)
            );
        if (!isCuda)
            throw new ArgumentException($"There is no device '{name}'; it must be cpu, cuda or cuda:N.", nameof(name));
        if (!cuda.is_available())
            throw new ArgumentException(
                $"Device {name}: this build of libtorch sees no CUDA device. Use cpu, or build with -p:TorchBackend=cuda on a machine with an NVIDIA driver.",
                nameof(name)
            );
        if (index >= cuda.device_count())
            throw new ArgumentException($"Device {name}: there are {cuda.device_count()} CUDA devices here, cuda:0 the first of them.", nameof(name));
        return device(name);
    }
}
