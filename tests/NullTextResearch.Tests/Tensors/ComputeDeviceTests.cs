using NullTextResearch.Tensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Tensors;

/// <summary>Devices are known, and there, before anything is loaded onto them.</summary>
public sealed class ComputeDeviceTests
{
    [Fact]
    public void Parse_Cpu_IsTheCpu() => Assert.Equal(DeviceType.CPU, ComputeDevice.Parse("cpu").type);

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("CPU")]
    public void Parse_UnknownName_SaysWhichThereAre(string name) =>
        Assert.Contains($"'{name}'; it must be cpu, cuda or cuda:N", Assert.Throws<ArgumentException>(() => ComputeDevice.Parse(name)).Message);

    [Theory]
    [InlineData("cuda")]
    [InlineData("cuda:3")]
    public void Parse_CudaThatIsNotThere_SaysWhatToDo(string name)
    {
        Assert.SkipWhen(cuda.is_available(), "this machine has a CUDA device");
        Assert.Contains("-p:TorchBackend=cuda", Assert.Throws<ArgumentException>(() => ComputeDevice.Parse(name)).Message);
    }
}
