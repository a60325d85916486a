// Models spread over devices, which the format has from IR version 11 on: carried, not interpreted.

/// A set of devices that nodes may be spread over.
public struct DeviceConfiguration: Sendable, Hashable {
  public var name: String
  public var deviceCount: Int32
  /// The devices' names; none, or as many as `deviceCount`.
  public var devices: [String]
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(name: String, deviceCount: Int32, devices: [String] = []) {
    self.name = name
    self.deviceCount = deviceCount
    self.devices = devices
  }
}

/// How one node uses the devices of the configuration of that name.
public struct NodeDeviceConfiguration: Sendable, Hashable {
  public var configuration: String
  public var shardings: [Sharding]
  public var pipelineStage: Int32?
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(configuration: String, shardings: [Sharding] = [], pipelineStage: Int32? = nil) {
    self.configuration = configuration
    self.shardings = shardings
    self.pipelineStage = pipelineStage
  }
}

/// How one input or output of a node is split over devices.
public struct Sharding: Sendable, Hashable {
  public var valueName: String
  /// Devices by index, or keys of `deviceGroups`.
  public var devices: [Int64]
  public var deviceGroups: [DeviceGroup]
  public var axes: [ShardedAxis]
  public var unknownFields = UnknownFields()
  var presence = Presence()

  public init(
    valueName: String, devices: [Int64] = [], deviceGroups: [DeviceGroup] = [], axes: [ShardedAxis] = []
  ) {
    self.valueName = valueName
    self.devices = devices
    self.deviceGroups = deviceGroups
    self.axes = axes
  }

  /// Devices that hold the same shard, under a key that `devices` names.
  public struct DeviceGroup: Sendable, Hashable {
    public var key: Int64
    public var devices: [Int64]
    public var unknownFields = UnknownFields()

    public init(key: Int64, devices: [Int64]) {
      self.key = key
      self.devices = devices
    }
  }
}

/// The shards of one axis, in order.
public struct ShardedAxis: Sendable, Hashable {
  public var axis: Int64
  public var parts: [Part]
  public var unknownFields = UnknownFields()

  public init(axis: Int64, parts: [Part]) {
    self.axis = axis
    self.parts = parts
  }

  /// An extent that is cut into `shardCount` equal shards.
  public struct Part: Sendable, Hashable {
    public var extent: Dimension.Extent
    public var shardCount: Int64
    public var unknownFields = UnknownFields()

    public init(extent: Dimension.Extent, shardCount: Int64) {
      self.extent = extent
      self.shardCount = shardCount
    }
  }
}
