//! The edge to WasmEdge: its C API, as far as it is used.
//!
//! The functions are looked up when WasmEdge asks what the plugin is, and not linked. So
//! one library suits WasmEdges of both interfaces, also where `libwasmedge` is loaded for
//! one library only (crun); and where a function is missing WasmEdge is told that there
//! is no plugin, instead of failing to start.
//!
//! What is relied on, the same in 0.14.1 and 0.17.1: the layouts below, and that numbers
//! of 64 bits suit functions that take 32 (on x86-64 and arm64, with the upper half zero).

use std::ffi::{CStr, c_char, c_void};
use std::mem::{offset_of, size_of, transmute_copy};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use crate::functions::{FUNCTIONS, Function, LIST, MODULE, MOST_PARAMETERS, Type};
use crate::memory::Memory;
use crate::sys::Region;
use crate::{ABI, Call, Errno, State};

// What is opaque there.
type Module = c_void;
type Frame = c_void;
type MemoryInstance = c_void;
type FunctionType = c_void;
type FunctionInstance = c_void;

#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    len: u32,
    bytes: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct ValueType([u8; 8]);

#[repr(C, align(16))]
struct Value {
    low: u64,
    high: u64,
    value_type: ValueType,
}

/// 0 is success.
#[repr(transparent)]
struct Status(u32);

type Host = unsafe extern "C" fn(*mut c_void, *const Frame, *const Value, *mut Value) -> Status;

#[repr(C)]
struct ModuleDescriptor {
    name: *const c_char,
    description: *const c_char,
    create: unsafe extern "C" fn(*const ModuleDescriptor) -> *mut Module,
}

/// What WasmEdge asks a plugin for.
#[repr(C)]
pub struct PluginDescriptor {
    name: *const c_char,
    description: *const c_char,
    api: u32,
    version: [u32; 4],
    modules: u32,
    options: u32,
    module: *const ModuleDescriptor,
    option: *const c_void,
}

const _: () = {
    assert!(size_of::<Text>() == 16 && offset_of!(Text, bytes) == 8);
    assert!(size_of::<Value>() == 32 && offset_of!(Value, value_type) == 16);
    assert!(size_of::<ModuleDescriptor>() == 24);
    assert!(size_of::<PluginDescriptor>() == 64);
    assert!(offset_of!(PluginDescriptor, version) == 20);
    assert!(offset_of!(PluginDescriptor, module) == 48);
};

macro_rules! api {
    ($($field:ident = $name:literal: $type:ty;)*) => {
        /// The functions of WasmEdge.
        #[derive(Clone, Copy)]
        struct Api { $($field: $type),* }

        impl Api {
            /// `None` if one is missing.
            fn find() -> Option<Api> {
                Some(Api { $($field: {
                    let symbol = symbol($name)?;
                    // SAFETY: it is the function of that name in WasmEdge's C API, which has
                    // this type; see the top of the file.
                    unsafe { transmute_copy::<*mut c_void, $type>(&symbol) }
                }),* })
            }
        }
    };
}

api! {
    major = c"WasmEdge_VersionGetMajor": unsafe extern "C" fn() -> u32;
    minor = c"WasmEdge_VersionGetMinor": unsafe extern "C" fn() -> u32;
    module_create = c"WasmEdge_ModuleInstanceCreateWithData":
        unsafe extern "C" fn(Text, *mut c_void, unsafe extern "C" fn(*mut c_void)) -> *mut Module;
    module_add = c"WasmEdge_ModuleInstanceAddFunction":
        unsafe extern "C" fn(*mut Module, Text, *mut FunctionInstance);
    type_create = c"WasmEdge_FunctionTypeCreate":
        unsafe extern "C" fn(*const ValueType, u32, *const ValueType, u32) -> *mut FunctionType;
    type_delete = c"WasmEdge_FunctionTypeDelete": unsafe extern "C" fn(*mut FunctionType);
    function_create = c"WasmEdge_FunctionInstanceCreate":
        unsafe extern "C" fn(*const FunctionType, Host, *mut c_void, u64) -> *mut FunctionInstance;
    i32 = c"WasmEdge_ValTypeGenI32": unsafe extern "C" fn() -> ValueType;
    i64 = c"WasmEdge_ValTypeGenI64": unsafe extern "C" fn() -> ValueType;
    memory_of = c"WasmEdge_CallingFrameGetMemoryInstance":
        unsafe extern "C" fn(*const Frame, u32) -> *mut MemoryInstance;
    // Gives 32 bits in 0.14 and 64 since: a memory of more pages than fit counts as smaller.
    memory_pages = c"WasmEdge_MemoryInstanceGetPageSize":
        unsafe extern "C" fn(*const MemoryInstance) -> u32;
    // Takes 32 bits in 0.14 and 64 since.
    memory_at = c"WasmEdge_MemoryInstanceGetPointer":
        unsafe extern "C" fn(*mut MemoryInstance, u64, u64) -> *mut u8;
}

/// A function of WasmEdge's, wherever its library was loaded.
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: both strings end with 0. With NOLOAD nothing is loaded that was not, so
    // nothing is run.
    let found = unsafe {
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD;
        let library = libc::dlopen(c"libwasmedge.so.0".as_ptr(), flags);
        let library = if library.is_null() {
            libc::RTLD_DEFAULT
        } else {
            library
        };
        libc::dlsym(library, name.as_ptr())
    };
    (!found.is_null()).then_some(found)
}

const PAGE: usize = 65536;

impl Api {
    /// The number that WasmEdge compares with its own: it changed with 0.17.
    fn number(&self) -> u32 {
        // SAFETY: they take nothing.
        let version = unsafe { ((self.major)(), (self.minor)()) };
        if version >= (0, 17) { 5 } else { 4 }
    }

    /// The memory of the guest that calls, as it is now.
    ///
    /// # Safety
    /// `frame` is what WasmEdge gave to the call that is running.
    #[inline]
    unsafe fn memory<'a>(&self, frame: *const Frame) -> Memory<'a> {
        // SAFETY: the frame is valid, as the caller says, and so is what comes of it; all of
        // them take null. The memory stays where it is until the call ends: WasmEdge
        // reserves the addresses that it can grow to.
        unsafe {
            let memory = (self.memory_of)(frame, 0);
            let pages = (self.memory_pages)(memory) as usize;
            let base = (self.memory_at)(memory, 0, 1);
            if base.is_null() {
                return Memory::new(Region::EMPTY);
            }
            Memory::new(Region::from_raw(base, pages * PAGE))
        }
    }
}

/// What belongs to one module instance of WasmEdge's.
struct Instance {
    state: State,
    api: Api,
    entries: Vec<Entry>,
}

/// What a function gets with each call.
struct Entry {
    function: &'static Function,
    instance: *const Instance,
}

/// Every call of a guest comes here.
unsafe extern "C" fn enter(
    data: *mut c_void,
    frame: *const Frame,
    parameters: *const Value,
    results: *mut Value,
) -> Status {
    // SAFETY: `data` is what `create` gave, an entry of an instance; it lives as long as
    // the module, which WasmEdge keeps while it calls.
    let (function, instance) = unsafe {
        let entry = &*data.cast::<Entry>();
        (entry.function, &*entry.instance)
    };
    let mut arguments = [0; MOST_PARAMETERS];
    for (i, argument) in arguments.iter_mut().enumerate() {
        if i < function.parameters.len() {
            // SAFETY: there are as many as the function's type says.
            *argument = unsafe { (*parameters.add(i)).low };
        }
    }
    let call = Call {
        state: &instance.state,
        // SAFETY: it is the frame of this call.
        memory: unsafe { instance.api.memory(frame) },
    };
    let result = (function.call)(&call, &arguments).unwrap_or_else(Errno::negative);
    // SAFETY: the function's type says that there is one result.
    unsafe { (*results).low = result as u64 };
    Status(0)
}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    // SAFETY: `create` made it of a box. WasmEdge calls this once, when no call is left.
    drop(unsafe { Box::from_raw(instance.cast::<Instance>()) });
}

fn text(text: &'static str) -> Text {
    Text {
        len: text.len() as u32,
        bytes: text.as_ptr().cast(),
    }
}

unsafe extern "C" fn create(_: *const ModuleDescriptor) -> *mut Module {
    let Some(api) = Api::find() else {
        return null_mut();
    };
    let instance = Box::into_raw(Box::new(Instance {
        state: State::from_environment(),
        api,
        entries: Vec::new(),
    }));
    let entries = FUNCTIONS
        .iter()
        .map(|function| Entry { function, instance });
    // SAFETY: it was just made, and nobody else has it.
    let entries = unsafe {
        (*instance).entries = entries.collect();
        &(*instance).entries
    };
    // SAFETY: texts are static, and arrays have the lengths that are given. The functions
    // get entries that are destroyed with the module. A type may be deleted as soon as a
    // function was made of it, and a function belongs to the module then.
    unsafe {
        let module = (api.module_create)(text(MODULE), instance.cast(), destroy);
        if module.is_null() {
            destroy(instance.cast());
            return module;
        }
        for entry in entries {
            let parameters = entry.function.parameters.iter();
            let parameters: Vec<ValueType> = parameters
                .map(|(_, its_type)| match its_type {
                    Type::I32 => (api.i32)(),
                    Type::I64 => (api.i64)(),
                })
                .collect();
            let result = (api.i64)();
            let count = parameters.len() as u32;
            let its_type = (api.type_create)(parameters.as_ptr(), count, &result, 1);
            let data = std::ptr::from_ref(entry).cast_mut().cast();
            let function = (api.function_create)(its_type, enter, data, 0);
            (api.type_delete)(its_type);
            (api.module_add)(module, text(entry.function.name), function);
        }
        module
    }
}

/// The descriptor stays for as long as the process.
struct Static(ModuleDescriptor, PluginDescriptor);

// SAFETY: it is written once, and its pointers lead to what is static.
unsafe impl Send for Static {}
// SAFETY: as above.
unsafe impl Sync for Static {}

/// What WasmEdge looks for in a plugin. Null where WasmEdge lacks a function that is needed;
/// then there is no plugin.
#[unsafe(no_mangle)]
pub extern "C" fn WasmEdge_Plugin_GetDescriptor() -> *const PluginDescriptor {
    static DESCRIPTOR: OnceLock<Box<Static>> = OnceLock::new();
    let Some(api) = Api::find() else {
        return null();
    };
    let descriptor = DESCRIPTOR.get_or_init(|| {
        let name = c"tokio_wasmedge".as_ptr();
        let description = c"Sockets, readiness, signals and random numbers for tokio".as_ptr();
        let mut all = Box::new(Static(
            ModuleDescriptor {
                name,
                description,
                create,
            },
            PluginDescriptor {
                name,
                description,
                api: api.number(),
                version: [ABI, 0, 0, 0],
                modules: 1,
                options: 0,
                module: null(),
                option: null(),
            },
        ));
        all.1.module = &all.0;
        all
    });
    &descriptor.1
}

const fn list() -> [u8; LIST.len()] {
    let mut bytes = [0; LIST.len()];
    bytes.copy_from_slice(LIST.as_bytes());
    bytes
}

/// `cargo wasmedge` looks for it in the library, to know what a program can import. It is
/// exported so that the linker keeps it.
#[unsafe(no_mangle)]
pub static TOKIO_WASMEDGE_FUNCTIONS: [u8; LIST.len()] = list();
